import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualTimeScheduler } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { policies } from '../../../src/core/policy/policies.js';
import type { Problem } from '../../../src/core/sources/problem.js';
import { ThresholdBook } from '../../../src/fleet/thresholds/threshold-book.js';
import { ThresholdFile } from '../../../src/service/thresholds/threshold-file.js';
import { id } from '../../support/fleet.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-thresholds-'));
  path = join(folder, 'thresholds.json');
});
afterEach(() => rm(folder, { recursive: true }));

const origin = {
  at: '2026-12-01T00:00:00.000Z',
  address: '10.0.0.9',
  token: 'admin',
  route: 'PATCH /thresholds',
} as const;
const decode = (fraction: number | null) => ({ activeDecodeBlocksThreshold: fraction });

/** A process that keeps its thresholds in the file. */
async function started() {
  const policy = policies.default;
  const book = new ThresholdBook({ policy, thresholds: policy.defaultThresholds });
  const problems: Problem[] = [];
  const file = new ThresholdFile(path, book, () => new Date(0));
  await file.sync();
  // The test says when the file is read again.
  const running = file.run((problem) => problems.push(problem), new VirtualTimeScheduler());
  const codes = () => problems.map(({ code }) => code);
  return { book, file, problems, codes, [Symbol.dispose]: () => running.unsubscribe() };
}

const names = async (): Promise<string[]> => (await readdir(folder)).sort();

describe('the file of thresholds', () => {
  it('keeps entries and changes over a restart, with every digit, and null', async () => {
    using first = await started();
    expect(await names()).toEqual([]);
    first.book.set(
      { model: 'llama', role: 'prefill' },
      { activePrefillTokensThreshold: 2n ** 64n - 1n },
      origin,
    );
    first.book.set({ workerId: id(7) }, decode(null), origin);
    first.book.set({}, decode(0.1), origin);
    first.book.unset({}, origin);
    await first.file.sync();
    using second = await started();
    expect(second.book.entries()).toEqual(first.book.entries());
    expect(second.book.changes()).toEqual(first.book.changes());
    expect(second.problems).toEqual([]);
    expect(await names()).toEqual(['thresholds.json']);
  });

  it('is the same for processes that share it, and keeps the changes of both', async () => {
    using a = await started();
    using b = await started();
    a.book.set({ model: 'a' }, decode(0.1), origin);
    await a.file.sync();
    // Before b reads it.
    b.book.set({ model: 'b' }, decode(0.2), origin);
    await b.file.sync();
    await a.file.sync();
    expect(a.book.entries()).toEqual(b.book.entries());
    expect(a.book.entries().map(({ target }) => target.model)).toEqual(['a', 'b']);
    b.book.unset({ model: 'a' }, origin);
    await b.file.sync();
    await a.file.sync();
    expect(a.book.entries().map(({ target }) => target.model)).toEqual(['b']);
    expect(a.book.changes()).toEqual(b.book.changes());
    expect(a.book.changes()).toHaveLength(3);
  });

  it('may be written by hand: an entry needs no origin', async () => {
    await writeFile(
      path,
      '{"format":1,"entries":[{"target":{},"thresholds":{"active_decode_blocks_threshold":0.5}}]}',
    );
    using process = await started();
    expect(process.book.entries()).toMatchObject([
      {
        target: {},
        thresholds: decode(0.5),
        origin: { at: '1970-01-01T00:00:00.000Z', route: `file ${path}` },
      },
    ]);
  });

  it.each([
    ['cut in half', '{"format":1,"entries":[{"target":{"mod', /not valid JSON/],
    ['empty', '', /not valid JSON/],
    ['other JSON', '[]', /the file must be an object/],
    ['without a format', '{"entries":[]}', /it has no format 1/],
    [
      'a misspelt threshold',
      '{"format":1,"entries":[{"target":{},"thresholds":{"active_decode":1}}]}',
      /nearest name is active_decode/,
    ],
    [
      'a value outside its range',
      '{"format":1,"entries":[{"target":{},"thresholds":{"active_decode_blocks_threshold":2}}]}',
      /between 0\.0 and 1\.0/,
    ],
  ])('a damaged file (%s) is set aside and reported, and the process starts', async (_, text, why) => {
    await writeFile(path, text);
    using process = await started();
    const aside = 'thresholds.json.damaged-1970-01-01T000000.000Z';
    expect(process.problems).toMatchObject([{ code: 'thresholds-unreadable', source: 'thresholds' }]);
    expect(process.problems[0]?.text).toMatch(why);
    expect(process.problems[0]?.text).toContain(aside);
    expect(await names()).toEqual([aside]);
    expect(await readFile(join(folder, aside), 'utf8')).toBe(text);
    process.book.set({}, decode(0.5), origin);
    await process.file.sync();
    expect(await names()).toEqual(['thresholds.json', aside]);
  });

  it('a file that is damaged while the process runs is set aside once it stays so, and written again', async () => {
    using process = await started();
    process.book.set({}, decode(0.5), origin);
    await process.file.sync();
    const good = await readFile(path, 'utf8');
    // Another program writes it in two steps.
    await writeFile(path, good.slice(0, 20));
    await process.file.sync();
    expect(process.problems).toEqual([]);
    await writeFile(path, good);
    await process.file.sync();
    expect(await names()).toEqual(['thresholds.json']);
    await writeFile(path, good.slice(0, 20));
    await process.file.sync();
    await process.file.sync();
    expect(process.codes()).toEqual(['thresholds-unreadable']);
    expect(process.book.entries()).toMatchObject([{ thresholds: decode(0.5) }]);
    expect(await readFile(path, 'utf8')).toBe(good);
  });

  it('a file that cannot be read or written keeps the thresholds in force, and is reported once until that is over', async () => {
    using process = await started();
    process.book.set({}, decode(0.5), origin);
    await process.file.sync();
    await rm(path);
    await mkdir(path);
    for (let time = 0; time < 3; time += 1) await process.file.sync();
    expect(process.codes()).toEqual(['thresholds-unreadable']);
    process.book.set({}, decode(0.6), origin);
    await process.file.sync();
    expect(process.book.entries()).toMatchObject([{ thresholds: decode(0.6) }]);
    await rm(path, { recursive: true });
    await process.file.sync();
    expect(await readFile(path, 'utf8')).toContain('0.6');
    await rm(path);
    await mkdir(path);
    await process.file.sync();
    expect(process.codes()).toEqual(['thresholds-unreadable', 'thresholds-unreadable']);
  });

  it('a file that cannot be written is tried again, and reported once', async () => {
    path = join(folder, 'absent', 'thresholds.json');
    using process = await started();
    process.book.set({}, decode(0.5), origin);
    for (let time = 0; time < 3; time += 1) await process.file.sync();
    expect(process.codes()).toEqual(['thresholds-not-saved']);
    await mkdir(join(folder, 'absent'));
    await process.file.sync();
    expect(await readFile(path, 'utf8')).toContain('0.5');
  });

  it('a file of a later release is neither set aside nor overwritten', async () => {
    const later = '{"format":2,"thresholds":"elsewhere"}';
    await writeFile(path, later);
    using process = await started();
    process.book.set({}, decode(0.5), origin);
    await process.file.sync();
    expect(process.codes()).toEqual(['thresholds-unreadable']);
    expect(await readFile(path, 'utf8')).toBe(later);
  });

  it('is read again every two seconds', async () => {
    const scheduler = new VirtualTimeScheduler();
    scheduler.maxFrames = 2_000;
    const policy = policies.default;
    const book = new ThresholdBook({ policy, thresholds: policy.defaultThresholds });
    const file = new ThresholdFile(path, book, () => new Date(0));
    await file.sync();
    const running = file.run(() => undefined, scheduler);
    using other = await started();
    other.book.set({}, decode(0.5), origin);
    await other.file.sync();
    expect(book.entries()).toEqual([]);
    const loaded = new Promise((resolve) => book.changes$.subscribe(resolve));
    scheduler.flush();
    await loaded;
    expect(book.entries()).toEqual(other.book.entries());
    running.unsubscribe();
  });
});
