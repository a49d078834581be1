// So that `npx vitest` has the lanes without `--config`.
export { default } from './test/vitest.config.ts';
