import type { MarbleNotification, MarbleStream } from '../grammar/marble.js';
import { canonicalText, valueText } from '../value-text.js';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const NO_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Text escaped for XML content and attributes. Characters that XML 1.0 does not allow become U+FFFD. */
export function xmlText(text: string): string {
  return text.replace(NO_XML, '\ufffd').replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}

/** One SVG element. Attributes are escaped here; children are elements, or text from {@link xmlText}. */
export function svgElement(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly string[]
): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${xmlText(String(value))}"`);
  return children.length === 0
    ? `<${name}${list.join('')}/>`
    : `<${name}${list.join('')}>${children.join('')}</${name}>`;
}

/** Sizes of a drawn marble file, in pixels. */
export const layout = {
  margin: 16,
  column: 24,
  radius: 11,
  /** The distance from one circle of a group to the next one below it. */
  stack: 24,
  title: 18,
  line: 16,
  operator: 34,
  gap: 14,
  /** Width of a character of the legend, and of a title or an operator. */
  smallCharacter: 6.7,
  character: 8.2,
  /** The maximum number of characters of a line of the legend. */
  legend: 100,
} as const;

/** The middle of a column. */
export function columnX(column: number): number {
  return layout.margin + layout.column * (column + 0.75);
}

/** A part of the picture, and its height. */
export interface SvgPart {
  readonly height: number;
  readonly elements: readonly string[];
}

const { column, radius, stack, title: titleHeight, line, margin } = layout;

/** One stream: its title, the arrow with circles, groups stacked, the end, its subscriptions, and a legend. */
export function svgStream(
  stream: MarbleStream,
  top: number,
  width: number,
  colours: ReadonlyMap<string, number>,
): SvgPart {
  const y = top + titleHeight + radius + 2;
  const groups = byColumn(stream.notifications);
  const deepest = Math.max(1, ...[...groups.values()].map((notifications) => notifications.length));
  let bottom = y + radius + (deepest - 1) * stack + 8;
  const elements = [
    svgElement('text', { class: 'title', x: margin, y: top + 12 }, xmlText(stream.title)),
    arrow(y, width),
  ];
  for (const notifications of groups.values())
    elements.push(
      ...notifications.map((notification, depth) =>
        notification.kind === 'next'
          ? circle(notification, stream, y + depth * stack, colours)
          : end(notification, y + depth * stack),
      ),
    );
  for (const { from, to } of stream.subscriptions) {
    elements.push(...subscription(from, to, bottom + 4, width));
    bottom += line;
  }
  for (const text of legendLines(stream)) {
    bottom += line;
    elements.push(
      svgElement('text', { class: 'legend', x: margin + column / 2, y: bottom - 4 }, xmlText(text)),
    );
  }
  return { height: bottom - top, elements };
}

/** The values of the letters of a stream, one line each, shortened if they are too long for a picture. */
export function legendLines({ bindings, notifications }: MarbleStream): string[] {
  const letters = new Set(notifications.map(({ letter }) => letter));
  return [...letters].flatMap((letter) => {
    const value = bindings.get(letter)?.value;
    if (value === undefined || shortText(value) !== undefined) return [];
    const text = `${letter} = ${valueText(value)}`;
    return [text.length > layout.legend ? `${text.slice(0, layout.legend - 1)}…` : text];
  });
}

function byColumn(notifications: readonly MarbleNotification[]): Map<number, MarbleNotification[]> {
  const groups = new Map<number, MarbleNotification[]>();
  for (const notification of notifications)
    groups.set(notification.column, [...(groups.get(notification.column) ?? []), notification]);
  return groups;
}

/** The text of a value that fits into its circle, and so needs no legend. */
function shortText(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value : valueText(value);
  return text.length > 0 && text.length <= 3 && (typeof value !== 'object' || value === null)
    ? text
    : undefined;
}

function circle(
  { column: at, letter }: MarbleNotification,
  { bindings }: MarbleStream,
  y: number,
  colours: ReadonlyMap<string, number>,
): string {
  const value = bindings.get(letter)?.value;
  const colour = colours.get(canonicalText(value)) ?? 0;
  return svgElement(
    'g',
    {},
    svgElement('title', {}, xmlText(valueText(value))),
    svgElement('circle', { class: `value c${colour}`, cx: columnX(at), cy: y, r: radius }),
    svgElement('text', { class: 'label', x: columnX(at), y: y + 4 }, xmlText(shortText(value) ?? letter)),
  );
}

function end({ column: at, kind }: MarbleNotification, y: number): string {
  const x = columnX(at);
  const [r, s] = [radius + 4, radius - 3];
  const d =
    kind === 'complete'
      ? `M${x} ${y - r}V${y + r}`
      : `M${x - s} ${y - s}L${x + s} ${y + s}M${x + s} ${y - s}L${x - s} ${y + s}`;
  return svgElement('path', { class: kind, d });
}

function arrow(y: number, width: number): string {
  const tip = width - margin;
  return svgElement('path', {
    class: 'time',
    d: `M${margin} ${y}H${tip}M${tip - 7} ${y - 5}L${tip} ${y}L${tip - 7} ${y + 5}`,
  });
}

function subscription(from: number, to: number | null, y: number, width: number): string[] {
  const [start, stop] = [columnX(from), to === null ? width - margin : columnX(to)];
  const closing = to === null ? '' : `M${stop} ${y - 4}V${y + 4}`;
  return [
    svgElement('path', {
      class: 'subscription',
      d: `M${start} ${y - 4}V${y + 4}M${start} ${y}H${stop}${closing}`,
    }),
  ];
}
