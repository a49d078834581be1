// Load messages.
export { LoadDecoder, type DecodedLoad } from './load-decoder.js';
export { LoadBatchDecoder, type BatchRefusal } from './load-batch-decoder.js';
export type { LoadHead } from './load-head.js';
export { LoadAccounting, type LoadAccountingOptions } from './load-accounting.js';
export type {
  AgeAccount,
  DetachedAccount,
  ForeignAccount,
  LoadAccount,
  PublisherAccount,
  PublisherCounts,
  SequenceAccount,
  SequenceGap,
} from './load-account.js';
export { decodeEnvelope, type Envelope } from './decode-envelope.js';
export {
  encodeActiveLoad,
  encodeActiveLoadJson,
  encodeEnvelope,
  type EnvelopeHead,
  type LoadFieldCount,
} from './load-encoder.js';
export type { DecodeError, DecodeErrorCode } from './decode-error.js';
export { LOAD_TOPIC } from './load-topic.js';

// Subjects.
export { encodeSegment } from './percent-encoding.js';
export { loadSubject, parseSubject, type ParsedSubject } from './subjects.js';
export { ScopeError, type LoadScope } from './load-scope.js';

// Discovery.
export {
  decodeDiscoveryRecord,
  type DiscoveryEntry,
  type DiscoveryRecord,
  type EventChannelRecord,
  type InstanceRecord,
  type ModelRecord,
  type RemovedRecord,
} from './discovery-record.js';
export { parseDiscoveryKey, type DiscoveryKey } from './discovery-key.js';
export type { EventTransport, InstanceTransport } from './discovery-transport.js';
export { eventChannelKey, instanceKey, modelKey, type EndpointAddress } from './build-discovery-key.js';
export { encodeInstanceRecord, encodeModelRecord, type RecordLayout } from './encode-discovery-record.js';
export type { ModelFile, ModelFiles } from './model-files.js';
export { slugOf } from './slug.js';
export { DiscoveryFold } from './discovery-fold.js';
export type { DiscoveryBatch, DiscoveryChange } from './discovery-change.js';
export type {
  DiscoveryDifference,
  DiscoveryProblem,
  EndpointDifference,
  PoolDifference,
} from './discovery-difference.js';
export { discoveryPrefixes } from './discovery-prefixes.js';
export { endpointOf, EndpointNameError, type EndpointLike } from './endpoint-of.js';
export { endpointPath } from './endpoint-path.js';

// Statistics of NATS micro services.
export {
  serviceEndpointName,
  serviceName,
  serviceRequestSubject,
  serviceSubject,
  type ServiceVerb,
} from './service-names.js';
export {
  encodeServiceInfo,
  encodeServicePing,
  encodeServiceStats,
  type ServiceEndpoint,
  type ServiceEndpointCounters,
  type ServiceIdentity,
} from './service-encoder.js';
export { decodeServiceStats, type ServiceStats } from './decode-service-stats.js';
export type { ServiceEndpointStats } from './service-endpoint-stats.js';
export { encodeForwardPassMetrics, type MetricsForm } from './encode-forward-pass-metrics.js';
export { decodeForwardPassMetrics } from './decode-forward-pass-metrics.js';
export { decodeProcessedEndpoints, encodeProcessedEndpoints } from './processed-endpoints-json.js';
export { decodeKvHitRateEvent, KV_HIT_RATE_TOPIC } from './decode-kv-hit-rate.js';

// Recordings.
export { parseRecording, RecordingError } from './parse-recording.js';
export type {
  Expectation,
  RecordedEvent,
  RecordedMessage,
  RecordedStart,
  Recording,
  RecordingHeader,
  RecordingLine,
} from './recording.js';
