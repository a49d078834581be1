// Load messages.
export { LoadDecoder, type DecodedLoad } from './loads/load-decoder.js';
export type { LoadHeader } from './loads/load-header.js';
export { LoadAccounting, type LoadAccountingOptions } from './loads/load-accounting.js';
export type {
  AgeAccount,
  DetachedAccount,
  ForeignAccount,
  LoadAccount,
  NotAccountableReason,
  NotAccountableReport,
  PublisherAccount,
  PublisherCounts,
  SequenceAccount,
  SequenceGap,
} from './loads/load-account.js';
export {
  encodeActiveLoad,
  encodeActiveLoadJson,
  encodeEnvelope,
  type EnvelopeHeader,
  type LoadFieldCount,
} from './loads/load-encoder.js';
export type { DecodeError, DecodeErrorCode } from './decode-error.js';
export { LOAD_TOPIC, loadSubject, parseSubject, type ParsedSubject } from './loads/subjects.js';

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

// Discovery.
export {
  decodeDiscoveryRecord,
  type DiscoveryChange,
  type DiscoveryRecord,
  type EventChannelRecord,
  type InstanceRecord,
  type ModelRecord,
  type RemovedRecord,
} from './discovery/discovery-record.js';
export {
  parseDiscoveryKey,
  type DiscoveryKey,
  eventChannelKey,
  instanceKey,
  modelKey,
  type EndpointAddress,
  discoveryPrefixes,
} from './discovery/discovery-keys.js';
export type { EventTransport, InstanceTransport } from './discovery/discovery-record.js';
export {
  encodeInstanceRecord,
  encodeModelRecord,
  type RecordLayout,
} from './discovery/encode-discovery-record.js';
export type { ModelFile, ModelFiles } from './discovery/encode-discovery-record.js';
export { DiscoveryFold } from './discovery/discovery-fold.js';
export type {
  DiscoveryBatch,
  DiscoveryDifference,
  DiscoveryProblem,
  EndpointDifference,
  PoolDifference,
} from './discovery/discovery-fold.js';

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
