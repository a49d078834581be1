export type { ModelState } from './model-state.js';
export { firstStep, step, type ModelStep } from './model.js';
export {
  playRecording,
  type FailedExpectation,
  type PlayedRecording,
  type PlayOptions,
} from './play-recording.js';
export type { PlayerName } from './player.js';
