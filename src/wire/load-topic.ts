/** The topic of load messages (Dynamo's `KV_METRICS_SUBJECT`), with an underscore. */
export const LOAD_TOPIC = 'kv_metrics';
