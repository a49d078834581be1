// Loads.
export { natsLoads, type LoadGeneration, type NatsLoads, type NatsLoadsOptions } from './nats-loads.js';
export type { LoadForm } from './load-receiver.js';
export type { LoadReport } from './load-report.js';

// Publishing.
export { natsPublisher, type NatsPublisherOptions, type PublisherStatus } from './nats-publisher.js';

// Statistics of micro services.
export { scrapeStats } from './scrape-stats.js';
export type { ScrapeOptions } from './scrape-question.js';
export { serveStats, type ServedServiceOptions, type ServeStatus } from './serve-stats.js';
export type { EndpointStats, ServedEndpoint } from './served-service.js';

// The connection.
export type { NatsAccess } from './nats-access.js';
export type { NatsLink, NatsMessage } from './nats-link.js';
export type { NatsAuth, NatsOptions, NatsTls } from './nats-options.js';
export { NatsOptionsError } from './nats-options-error.js';
