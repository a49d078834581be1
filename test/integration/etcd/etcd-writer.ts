import type { EtcdGateway } from '../../support/etcd-gateway.js';

/** A change as one readable line. Large values are replaced by their length. */
export function changeLine(
  kind: 'put' | 'delete',
  key: string,
  modRevision: string,
  value?: Uint8Array,
): string {
  const text =
    value === undefined ? '' : value.length > 64 ? ` ${value.length} B` : ` ${String(Buffer.from(value))}`;
  return `${kind} ${key} at ${modRevision}${text}`;
}

/** Writes into etcd directly, and records what it wrote. */
export class EtcdWriter {
  /** Every change, in order. */
  readonly written: string[] = [];
  readonly #keys = new Set<string>();

  constructor(readonly gateway: EtcdGateway) {}

  async put(key: string, value: Uint8Array | string, lease?: string): Promise<string> {
    const revision = await this.gateway.put(key, value, lease);
    this.#keys.add(key);
    this.written.push(changeLine('put', key, revision, Buffer.from(value as string)));
    return revision;
  }

  /** Deletes an existing key. */
  async delete(key: string): Promise<string> {
    const revision = await this.gateway.delete(key);
    this.#keys.delete(key);
    this.written.push(changeLine('delete', key, revision));
    return revision;
  }

  /** Writes `count` changes of a few keys below a prefix. Every fifth one is a deletion, if the key exists. */
  async writeMany(prefix: string, count: number): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const key = `${prefix}${at % 7}`;
      if (at % 5 === 4 && this.#keys.has(key)) await this.delete(key);
      else await this.put(key, `value ${this.written.length}`);
    }
  }
}
