import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { calm, stopped } from './stopped-watch.js';

describeWith('etcd', 'a suspended process', () => {
  it('continues after one second', async () => {
    expect(await stopped(1_000)).toEqual(calm);
  });
});
