import type { Count } from '../../core/count.js';
import { errorText } from '../../operators/error-text.js';
import {
  encodeServiceInfo,
  encodeServicePing,
  encodeServiceStats,
  type ServiceEndpointCounters,
  type ServiceIdentity,
} from '../../wire/service-encoder.js';
import { serviceEndpointName, type ServiceVerb } from '../../wire/service-names.js';

/** What an endpoint has to say for itself when it is asked; what is absent is none. */
export interface EndpointStats {
  readonly numRequests?: Count;
  readonly numErrors?: Count;
  /** Nanoseconds of all requests together. */
  readonly processingTime?: Count;
  /** The last error, as `code:text`. */
  readonly lastError?: string;
  /** Its own statistics, as JSON text; those of `load_metrics` are what `encodeForwardPassMetrics` writes. */
  readonly data?: string | null;
}

/** An endpoint of a service that is served. */
export interface ServedEndpoint {
  readonly subject: string;
  /** The subject with dashes for its dots when absent, as in Dynamo. */
  readonly name?: string;
  /** `q` when absent. */
  readonly queueGroup?: string;
  /** Called for each request for statistics, and quick. Absent: all counts are 0, and there are no data. */
  readonly stats?: () => EndpointStats;
}

/** One instance of a service, as it answers. */
export class ServedService {
  private readonly started = new Date().toISOString();

  constructor(
    readonly identity: ServiceIdentity,
    private readonly description: string,
    private readonly endpoints: readonly ServedEndpoint[],
  ) {}

  answer(verb: ServiceVerb): Uint8Array {
    const { identity, description, started } = this;
    if (verb === 'PING') return encodeServicePing(identity);
    if (verb === 'STATS')
      return encodeServiceStats({ ...identity, started, endpoints: this.endpoints.map(countersOf) });
    return encodeServiceInfo({ ...identity, description, endpoints: this.endpoints.map(placeOf) });
  }
}

function placeOf({ subject, name = serviceEndpointName(subject), queueGroup = 'q' }: ServedEndpoint): {
  subject: string;
  name: string;
  queueGroup: string;
} {
  return { subject, name, queueGroup };
}

function countersOf(endpoint: ServedEndpoint): ServiceEndpointCounters {
  const {
    numRequests = 0,
    numErrors = 0,
    processingTime = 0,
    lastError = '',
    data = null,
  } = statsOf(endpoint);
  return {
    ...placeOf(endpoint),
    numRequests,
    numErrors,
    processingTime,
    averageProcessingTime: mean(processingTime, numRequests),
    lastError,
    data,
  };
}

/** What an endpoint says. When it fails to, whoever asks is told so in the place for the last error. */
function statsOf({ stats }: ServedEndpoint): EndpointStats {
  try {
    const said = stats?.() ?? {};
    // Text that is no JSON would make the whole reply none.
    if (typeof said.data === 'string') JSON.parse(said.data);
    return said;
  } catch (error) {
    return { lastError: `500:its statistics failed: ${errorText(error)}` };
  }
}

function mean(sum: Count, of: Count): Count {
  if (Number(of) === 0) return 0;
  return typeof sum === 'bigint' ? sum / BigInt(of) : sum / Number(of);
}
