import type { Marble } from '../grammar/marble.js';
import { canonicalText } from '../value-text.js';
import { type SvgPart, columnX, layout, legendLines, svgElement, svgStream, xmlText } from './svg-stream.js';

const PALETTE = [
  '#9cc7f0',
  '#f5c98b',
  '#a9dba5',
  '#e7a9c1',
  '#c8b5ea',
  '#e6dd8a',
  '#9bdcd6',
  '#f3b0a0',
  '#c5cdd6',
  '#d3e39a',
  '#dcb9e0',
  '#d8c3a5',
];

/** Background and text colours change together, so that the picture is readable in light and in dark pages. */
const STYLE = `
.paper{fill:#fff}
.time,.complete,.error,.subscription,.operator{stroke:#1f2328;stroke-width:1.5;fill:none}
.complete,.error{stroke-width:2.5}
.subscription{stroke-dasharray:3 2}
.value{stroke:#1f2328;stroke-width:1.5}
text{fill:#1f2328;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.label{fill:#1f2328;font-size:12px;text-anchor:middle}
.title{font-size:12px;font-weight:bold}
.call{font-size:13px;text-anchor:middle}
.legend{font-size:11px}
${PALETTE.map((colour, index) => `.c${index}{fill:${colour}}`).join('\n')}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117}
.time,.complete,.error,.subscription,.operator{stroke:#e6edf3}
.title,.call,.legend{fill:#e6edf3}
}
`;

/**
 * Draws a marble file as a self-contained SVG. Time runs to the right, values are circles, a group is a stack, a bar is the
 * end and a cross an error. The operator is between inputs and outputs.
 *
 * 1. Equal values have the same colour in all rows. A value that does not fit into its circle is shown as a letter, with a
 *    legend below the row. A tooltip on the circle shows the full value.
 * 2. The same marble gives the same text.
 *
 * @example
 * ```ts
 * import { drawMarble, parseMarble } from 'tidemark/testing';
 *
 * const svg = drawMarble(parseMarble('-a-|\na := 2\n> double\n-b-|\nb := 4', 'double.txt'));
 * console.log(svg.slice(0, 4), svg.match(/<circle/g)?.length);
 * // Logs: <svg 2
 * ```
 *
 * @see {@link parseMarble}
 */
export function drawMarble(marble: Marble): string {
  const { inputs, calls, outputs, story, file } = marble;
  const width = widthOf(marble);
  const colours = coloursOf(marble);
  const elements: string[] = [];
  let top: number = layout.margin;
  const add = ({ height, elements: added }: SvgPart): void => {
    elements.push(...added);
    top += height + layout.gap;
  };
  for (const stream of inputs) add(svgStream(stream, top, width, colours));
  for (const { text } of calls) add(operatorBox(text, top, width));
  for (const stream of outputs) add(svgStream(stream, top, width, colours));
  const height = Math.ceil(top - layout.gap + layout.margin);
  const name = (file.split(/[\\/]/).at(-1) ?? '').replace(/\.txt$/, '').replaceAll('-', ' ');
  const svg = svgElement(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img' },
    `\n${svgElement('title', {}, xmlText(name))}\n`,
    `${svgElement('desc', {}, xmlText(story.join('\n')))}\n`,
    `<style>${STYLE}</style>\n`,
    `${svgElement('rect', { class: 'paper', width, height, rx: 6 })}\n`,
    `${elements.join('\n')}\n`,
  );
  return `${svg}\n`;
}

function operatorBox(text: string, top: number, width: number): SvgPart {
  const { margin, operator: height } = layout;
  return {
    height,
    elements: [
      svgElement('rect', { class: 'operator', x: margin, y: top, width: width - 2 * margin, height, rx: 4 }),
      svgElement('text', { class: 'call', x: width / 2, y: top + height / 2 + 4 }, xmlText(text)),
    ],
  };
}

/** Wide enough for the longest row and the longest text. */
function widthOf({ inputs, calls, outputs }: Marble): number {
  const { margin, column, character, smallCharacter } = layout;
  const streams = [...inputs, ...outputs];
  const widths = [
    ...streams.map(({ text }) => columnX(text.length) + column / 2),
    ...streams.map(({ title }) => margin + title.length * character),
    ...streams.flatMap(legendLines).map((text) => margin + column / 2 + text.length * smallCharacter),
    ...calls.map(({ text }) => margin + (text.length + 2) * character),
  ];
  return Math.ceil(Math.max(...widths) + margin);
}

/** The colours of the values, in the order in which the values appear. */
function coloursOf({ inputs, outputs }: Marble): ReadonlyMap<string, number> {
  const colours = new Map<string, number>();
  for (const { notifications, bindings } of [...inputs, ...outputs])
    for (const { letter, kind } of notifications) {
      const value = canonicalText(bindings.get(letter)?.value);
      if (kind === 'next' && !colours.has(value)) colours.set(value, colours.size % PALETTE.length);
    }
  return colours;
}
