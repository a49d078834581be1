// Loads as columns.
export {
  batchEvents,
  LoadBatch,
  type LoadColumns,
  NO_VALUE,
  WIDE_VALUE,
  WorkerTable,
} from '../core/events/load-batch.js';
export { LoadBatchDecoder, type BatchRefusal } from '../wire/loads/load-batch-decoder.js';

// The state.
export { FleetLoad } from '../core/state/fleet-load.js';
