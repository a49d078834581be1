import { expect, it } from 'vitest';
import { describeWith } from '../../support/describe-with.js';
import { calm, stopped } from './stopped-watch.js';

describeWith('etcd', 'a suspended process', () => {
  it.each([12, 40])(
    'for %i s, longer than anything is waited for, without a false alarm',
    async (seconds) => {
      expect(await stopped(seconds * 1_000)).toEqual(calm);
    },
  );
});
