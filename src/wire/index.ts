// Load messages.
export { LoadDecoder, type DecodedLoad } from './loads/load-decoder.js';
export type { LoadHeader } from './loads/load-header.js';
export {
  encodeActiveLoad,
  encodeActiveLoadJson,
  encodeEnvelope,
  type EnvelopeHeader,
  type LoadFieldCount,
} from './loads/load-encoder.js';
export type { DecodeError, DecodeErrorCode } from './decode-error.js';
export { LOAD_TOPIC } from './loads/envelope.js';

// Subjects.
export { encodeSegment, toSlug } from './text-codecs.js';
export {
  ScopeError,
  type LoadScope,
  parseEndpoint,
  EndpointNameError,
  type EndpointLike,
  endpointPath,
} from './endpoint-names.js';

// Values of discovery records.
export type { EventTransport, InstanceTransport, WorkerNeeds } from './discovery/discovery-values.js';
export {
  encodeInstanceRecord,
  encodeModelRecord,
  type EndpointAddress,
  type RecordLayout,
} from './discovery/encode-discovery-record.js';
export type { ModelFile, ModelFiles } from './discovery/encode-discovery-record.js';

// Statistics of NATS micro services.
export {
  serviceEndpointName,
  serviceName,
  serviceRequestSubject,
  serviceSubject,
  type ServiceVerb,
} from './services/service-names.js';
export {
  encodeServiceInfo,
  encodeServicePing,
  encodeServiceStats,
  type ServiceEndpoint,
  type ServiceEndpointCounters,
  type ServiceIdentity,
} from './services/service-encoder.js';
export { decodeServiceStats, type ServiceStats } from './services/service-stats.js';
export type { ServiceEndpointStats } from './services/service-stats.js';
export {
  encodeForwardPassMetrics,
  type MetricsForm,
  decodeForwardPassMetrics,
} from './services/forward-pass-metrics.js';

// Recordings.
export { parseRecording, RecordingError } from './recording/parse-recording.js';
export type {
  Expectation,
  RecordedEvent,
  RecordedMessage,
  RecordedStart,
  Recording,
  RecordingHeader,
  RecordingLine,
} from './recording/recording.js';
