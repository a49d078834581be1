/** The two formats of a page. */
export type MetricsFormat = 'text' | 'openmetrics';

/** The format of a page and its content type. */
export interface MetricsContent {
  readonly format: MetricsFormat;
  readonly contentType: string;
}

const contents = {
  text: { format: 'text', contentType: 'text/plain; version=0.0.4; charset=utf-8' },
  openmetrics: {
    format: 'openmetrics',
    contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  },
} as const satisfies Record<MetricsFormat, MetricsContent>;

/**
 * Selects the format of a page for an `Accept` header: OpenMetrics if the header names it, with version 1.0.0 or no
 * version, and does not prefer plain text; otherwise the text format.
 *
 * @example
 * ```ts
 * import { contentTypeFor } from 'tidemark/prometheus';
 *
 * console.log(contentTypeFor('application/openmetrics-text;version=1.0.0,text/plain;q=0.5').contentType);
 * console.log(contentTypeFor(undefined).contentType);
 * // Logs: application/openmetrics-text; version=1.0.0; charset=utf-8
 * // Logs: text/plain; version=0.0.4; charset=utf-8
 * ```
 *
 * @see {@link renderMetrics}
 */
export function contentTypeFor(accept: string | undefined): MetricsContent {
  const ranges = (accept ?? '').toLowerCase().split(',').map(rangeOf);
  const wanted = (type: string, version: string): number =>
    Math.max(
      0,
      ...ranges
        .filter((range) => range.type === type && [version, undefined].includes(range.version))
        .map(({ quality }) => quality),
    );
  const openmetrics = wanted('application/openmetrics-text', '1.0.0');
  return openmetrics > 0 && openmetrics >= wanted('text/plain', '0.0.4')
    ? contents.openmetrics
    : contents.text;
}

interface MediaRange {
  readonly type: string;
  readonly version: string | undefined;
  readonly quality: number;
}

function rangeOf(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim());
  const values = new Map(
    parameters.map((parameter) => parameter.split('=').map((part) => part.trim()) as [string, string]),
  );
  const quality = Number(values.get('q') ?? 1);
  return {
    type,
    version: values.get('version')?.replaceAll('"', ''),
    quality: quality >= 0 && quality <= 1 ? quality : 0,
  };
}
