export type { ModelState } from './model-state.js';
export { firstStep, step, type ModelStep } from './model.js';
export {
  playRecording,
  type FailedExpectation,
  type PlayedRecording,
  type PlayListener,
} from './play-recording.js';
