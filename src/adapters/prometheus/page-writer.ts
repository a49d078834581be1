import type { Count } from '../../core/count.js';
import { TidemarkError } from '../../core/errors.js';
import type { MetricsFormat } from './content-type-for.js';
import type { SampleSink } from './metric-family.js';
import type { Metric } from './metric-names.js';

/** Escapes a label value, as in both formats. */
function escapeLabelValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** The size at which a chunk is complete. */
const CHUNK_BYTES = 32 * 1024;
/** Room for the samples of one more worker. */
const MARGIN_BYTES = 4 * 1024;
/** The size of the longest number, a 64-bit integer or a double, and the end of the line. */
const MAX_NUMBER_BYTES = 32;
/** The maximum number of bytes per character of a label value. */
const MAX_CHARACTER_BYTES = 3;
const none: readonly Uint8Array[] = [];

/**
 * Writes samples as lines. The constant parts of all lines of a metric are encoded once. For each line it only writes the
 * label values and the digits of the number, without allocations.
 */
export class PageWriter implements SampleSink {
  length = 0;
  private bytes = Buffer.allocUnsafe(CHUNK_BYTES + MARGIN_BYTES);
  private metric: Metric | undefined;
  private headerOf: Metric | undefined;
  /** The bytes before the first label value, between the values, and after the last one. */
  private pieces = none;
  private fixedLength = 0;

  constructor(private readonly format: MetricsFormat) {}

  get full(): boolean {
    return this.length >= CHUNK_BYTES;
  }

  begin(metric: Metric, labels: Readonly<Record<string, string>>): void {
    this.metric = metric;
    this.pieces = piecesOf(this.sampleName(metric), labels, metric.labelNames);
    this.fixedLength = this.pieces.reduce((sum, { length }) => sum + length, 0);
  }

  sample(value: Count, first = '', second = '', third = ''): void {
    // As on Dynamo's pages, a metric without samples has no header.
    if (this.headerOf !== this.metric) this.header();
    const { pieces } = this;
    this.makeRoom(
      this.fixedLength +
        MAX_CHARACTER_BYTES * (first.length + second.length + third.length) +
        MAX_NUMBER_BYTES,
    );
    this.piece(pieces[0]);
    if (pieces.length > 1) this.text(first, pieces[1]);
    if (pieces.length > 2) this.text(second, pieces[2]);
    if (pieces.length > 3) this.text(third, pieces[3]);
    this.number(value);
    this.bytes[this.length] = 10;
    this.length += 1;
  }

  /** Writes a line. */
  line(text: string): void {
    const bytes = Buffer.from(`${text}\n`);
    this.makeRoom(bytes.length);
    this.piece(bytes);
  }

  /** Returns the bytes written since the last call, which the caller may keep. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = Buffer.allocUnsafe(CHUNK_BYTES + MARGIN_BYTES);
    this.length = 0;
    return taken;
  }

  private header(): void {
    const { metric } = this;
    if (metric === undefined)
      throw new TidemarkError('page-order', 'A sample has no metric: call begin() first.');
    this.headerOf = metric;
    const name = this.format === 'openmetrics' ? familyName(metric) : metric.name;
    this.line(`# HELP ${name} ${metric.help}`);
    this.line(`# TYPE ${name} ${metric.type}`);
  }

  private sampleName(metric: Metric): string {
    return this.format === 'openmetrics' && metric.type === 'counter'
      ? `${familyName(metric)}_total`
      : metric.name;
  }

  private piece(piece: Uint8Array | undefined): void {
    if (piece === undefined) return;
    this.bytes.set(piece, this.length);
    this.length += piece.length;
  }

  /** Writes a label value and the piece after it. */
  private text(text: string, next: Uint8Array | undefined): void {
    const { bytes, length } = this;
    let i = 0;
    for (; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 126 || code === 34 || code === 92 || code < 32) break;
      bytes[length + i] = code;
    }
    this.length += i === text.length ? i : bytes.write(escapeLabelValue(text), length);
    this.piece(next);
  }

  private number(value: Count): void {
    if (typeof value === 'number' && value >= 0 && value <= 0x7fff_ffff && Number.isInteger(value))
      this.digits(value);
    else this.length += this.bytes.write(numberText(value), this.length, 'latin1');
  }

  private digits(value: number): void {
    let end = this.length + 1;
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) end += 1;
    this.length = end;
    let rest = value;
    do {
      end -= 1;
      this.bytes[end] = 48 + (rest % 10);
      rest = (rest / 10) | 0;
    } while (rest > 0);
  }

  private makeRoom(length: number): void {
    if (this.length + length <= this.bytes.length) return;
    const longer = Buffer.allocUnsafe((this.bytes.length + length) * 2);
    longer.set(this.bytes.subarray(0, this.length));
    this.bytes = longer;
  }
}

function familyName({ name }: Metric): string {
  return name.replace(/_total$/, '');
}

function piecesOf(
  name: string,
  labels: Readonly<Record<string, string>>,
  labelNames: readonly string[],
): readonly Uint8Array[] {
  const fixed = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabelValue(value)}"`);
  const own = labelNames.map((label) => `${label}="`);
  if (own.length === 0)
    return [Buffer.from(fixed.length === 0 ? `${name} ` : `${name}{${fixed.join(',')}} `)];
  const [first, ...others] = own;
  return [`${name}{${[...fixed, first].join(',')}`, ...others.map((label) => `",${label}`), '"} '].map(
    (text) => Buffer.from(text),
  );
}

function numberText(value: Count): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
