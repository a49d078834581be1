import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { calm, stopped } from './stopped-watch.js';

describeWith('etcd', 'our own process, stopped', () => {
  it('for a second goes on where it was', async () => {
    expect(await stopped(1_000)).toEqual(calm);
  });
});
