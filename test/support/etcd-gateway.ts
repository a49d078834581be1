import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';

/** How to reach an etcd. The paths are those of PEM files. */
export interface EtcdAccess {
  readonly url: string;
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string };
  readonly auth?: { readonly username: string; readonly password: string };
}

/** A key and what etcd knows about it; what is a 64-bit integer there is its decimal text here. */
export interface StoredKey {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: string;
  readonly modRevision: string;
  readonly version: string;
  /** `0` if the key hangs on no lease. */
  readonly lease: string;
}

type Json = Readonly<Record<string, unknown>>;

interface Answer {
  readonly header?: { readonly revision?: string };
  readonly kvs?: readonly Readonly<Record<string, string>>[];
  readonly ID?: string;
  readonly token?: string;
}

const TIMEOUT_MS = 60_000;

/**
 * A second opinion on what is in etcd: its JSON gateway, asked with nothing but Node, one connection for each question.
 * It writes 64-bit integers as strings, so that none of them becomes a floating-point number.
 */
export class EtcdGateway {
  constructor(private readonly access: EtcdAccess) {}

  /** Writes a key; the revision that this made. */
  put(key: Uint8Array | string, value: Uint8Array | string, lease = '0'): Promise<string> {
    return this.change('/v3/kv/put', { key: base64(key), value: base64(value), lease });
  }

  /** Deletes one key; the revision afterwards. */
  delete(key: Uint8Array | string): Promise<string> {
    return this.change('/v3/kv/deleterange', { key: base64(key) });
  }

  /** Deletes all keys that begin so; the revision afterwards. */
  deletePrefix(prefix: string): Promise<string> {
    return this.change('/v3/kv/deleterange', rangeOf(prefix));
  }

  /** All keys that begin so, in the order of the keys. */
  async get(prefix: string): Promise<StoredKey[]> {
    const { kvs = [] } = await this.call('/v3/kv/range', rangeOf(prefix));
    return kvs.map((kv) => ({
      key: Buffer.from(kv['key'] ?? '', 'base64').toString(),
      value: new Uint8Array(Buffer.from(kv['value'] ?? '', 'base64')),
      createRevision: kv['create_revision'] ?? '0',
      modRevision: kv['mod_revision'] ?? '0',
      version: kv['version'] ?? '0',
      lease: kv['lease'] ?? '0',
    }));
  }

  /** Compacts the history up to this revision, and waits for it. */
  async compact(revision: string): Promise<void> {
    await this.call('/v3/kv/compaction', { revision, physical: true });
  }

  /** Grants a lease of some seconds, with this id or one that etcd chooses, and returns the id. */
  async grant(ttl: number, id = '0'): Promise<string> {
    const { ID = '0' } = await this.call('/v3/lease/grant', { TTL: String(ttl), ID: id });
    return ID;
  }

  async revoke(id: string): Promise<void> {
    await this.call('/v3/lease/revoke', { ID: id });
  }

  /** The same without a password. */
  anonymous(): EtcdGateway {
    const { url, tls } = this.access;
    return new EtcdGateway({ url, ...(tls && { tls }) });
  }

  /** Creates a user with all permissions and enables authentication; `root` has the same password. */
  async enableAuth({ username, password }: { username: string; password: string }): Promise<void> {
    const open = this.anonymous();
    await open.call('/v3/auth/role/add', { name: 'root' });
    for (const name of new Set(['root', username])) {
      await open.call('/v3/auth/user/add', { name, password });
      await open.call('/v3/auth/user/grant', { user: name, role: 'root' });
    }
    await open.call('/v3/auth/enable', {});
  }

  async changePassword(name: string, password: string): Promise<void> {
    await this.call('/v3/auth/user/changepw', { name, password });
  }

  /** Creates a user that may only read the keys with a prefix; the role has the same name. */
  async addReader(
    { username, password }: { username: string; password: string },
    prefix: string,
  ): Promise<void> {
    await this.call('/v3/auth/role/add', { name: username });
    await this.allow(username, prefix);
    await this.call('/v3/auth/user/add', { name: username, password });
    await this.call('/v3/auth/user/grant', { user: username, role: username });
  }

  /** Lets a role read the keys with one more prefix. */
  async allow(role: string, prefix: string): Promise<void> {
    await this.call('/v3/auth/role/grant', { name: role, perm: { permType: 'READ', ...rangeOf(prefix) } });
  }

  /** Takes back what {@link allow} granted. */
  async disallow(role: string, prefix: string): Promise<void> {
    const { key, range_end } = rangeOf(prefix);
    await this.call('/v3/auth/role/revoke', { role, key, range_end });
  }

  /** Adds a member to the cluster. While it does not run, a cluster of one has no majority. */
  async addMember(peerUrl: string): Promise<void> {
    await this.call('/v3/cluster/member/add', { peerURLs: [peerUrl] });
  }

  private async change(path: string, body: Json): Promise<string> {
    const { header } = await this.call(path, body);
    return header?.revision ?? '0';
  }

  /** Logs in for every call, because a restarted etcd knows no token of before. */
  private async call(path: string, body: Json): Promise<Answer> {
    const { auth } = this.access;
    if (auth === undefined) return this.post(path, body);
    const { username: name, password } = auth;
    const { token } = await this.post('/v3/auth/authenticate', { name, password });
    return this.post(path, body, token);
  }

  private async post(path: string, body: Json, token?: string): Promise<Answer> {
    const { url, tls } = this.access;
    const request = url.startsWith('https:') ? httpsRequest : httpRequest;
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const sent = request(`${url}${path}`, {
        method: 'POST',
        agent: false,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: token }) },
        ...(tls && { ca: readFileSync(tls.ca) }),
        ...(tls?.cert !== undefined && { cert: readFileSync(tls.cert) }),
        ...(tls?.key !== undefined && { key: readFileSync(tls.key) }),
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        text(response).then((received) => resolve({ status: response.statusCode, body: received }), reject);
      });
      sent.end(JSON.stringify(body));
    });
    if (answer.status !== 200) throw new Error(`etcd refused ${path}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body) as Answer;
  }
}

function base64(value: Uint8Array | string): string {
  return Buffer.from(value as string).toString('base64');
}

/** The range of all keys with a prefix: up to the prefix with its last byte one higher, which no UTF-8 overflows. */
function rangeOf(prefix: string): Json {
  const end = Buffer.from(prefix);
  if (end.length === 0) return { key: base64('\0'), range_end: base64('\0') };
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return { key: base64(prefix), range_end: base64(end) };
}
