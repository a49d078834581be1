// Messages.
export { natsMessages, type NatsMessagesOptions } from './nats-messages.js';
export { natsPublisher, type PublisherStatus } from './nats-publisher.js';

// Statistics of micro services.
export { scrapeStats } from './scrape-stats.js';
export type { ScrapeOptions } from './scrape-stats.js';
export { serveStats, type ServedServiceOptions, type ServeStatus } from './serve-stats.js';
export type { EndpointStats, ServedEndpoint } from './serve-stats.js';

// The connection.
export type { NatsConnectionOptions, NatsAuth, NatsOptions, NatsTls } from './nats-options.js';
export type { NatsLink, NatsMessage } from './nats-link.js';
export { NatsOptionsError } from './nats-options.js';
