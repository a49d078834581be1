import { describe, expect, it } from 'vitest';
import { drawMarble } from '../../../../src/testing/marble/draw/draw-marble.js';
import { parseMarble } from '../../../../src/testing/marble/grammar/parse-marble.js';

const text = `% A story with <tags> & "quotes".
-a--(bc|)
title = first & <only>
a := 1
b := "ok"
c := {"x": "<b>&\\u0001\\ud800"}
^-------!

--a--#
title = second
a := {"long": "${'x'.repeat(200)}"}
# := "broken"

> merge({ text: '<a & b>' })
> map

-ab---
a := 1
b := {"k": 2}
`;
const draw = (source: string): string => drawMarble(parseMarble(source, 'marbles/two-become-one.txt'));
const svg = draw(text);
const count = (pattern: RegExp): number => svg.match(pattern)?.length ?? 0;

/** Opening and closing tags in order; the first that does not fit is the answer. */
function firstUnbalanced(xml: string): string | undefined {
  const open: string[] = [];
  for (const [tag, slash, name, , selfClosing] of xml.matchAll(
    /<(\/?)([a-z]+)((?:\s+[a-zA-Z]+="[^"<]*")*)\s*(\/?)>/g,
  )) {
    if (selfClosing === '/') continue;
    if (slash === '') open.push(name ?? '');
    else if (open.pop() !== name) return tag;
  }
  return open.at(-1);
}

describe('drawMarble', () => {
  it('draws a circle for each value, a bar for an end, a cross for an error, a box for an operator', () => {
    expect(count(/<circle /g)).toBe(6);
    expect(count(/class="complete"/g)).toBe(1);
    expect(count(/class="error"/g)).toBe(1);
    expect(count(/class="operator"/g)).toBe(2);
    expect(count(/class="time"/g)).toBe(3);
    expect(count(/class="subscription"/g)).toBe(1);
  });

  it('stacks a group in one column, its end below', () => {
    const groups = [...svg.matchAll(/<circle class="value c\d+" cx="([\d.]+)" cy="([\d.]+)"/g)].map(
      ([, x, y]) => [Number(x), Number(y)],
    );
    const [, b, c] = groups;
    expect(b?.[0]).toBe(c?.[0]);
    expect(Number(c?.[1]) - Number(b?.[1])).toBe(24);
    expect(Number(/class="complete" d="M([\d.]+)/.exec(svg)?.[1])).toBe(b?.[0]);
  });

  it('writes short values into their circles, and long ones below, truncated', () => {
    expect(svg).toContain('y="51">1</text>');
    expect(svg).toContain('>ok</text>');
    expect(svg).toMatch(/class="legend"[^>]*>a = \{&quot;long&quot;:&quot;x+…<\/text>/);
    expect(svg).toContain('class="legend" x="28" y="414">b = {&quot;k&quot;:2}</text>');
  });

  it('gives equal values one colour, and others another', () => {
    const colours = [...svg.matchAll(/class="value c(\d+)"/g)].map(([, colour]) => colour);
    expect(colours).toEqual(['0', '1', '2', '3', '0', '4']);
  });

  it('is well-formed, with every text escaped', () => {
    expect(firstUnbalanced(svg)).toBeUndefined();
    expect(firstUnbalanced('<a><b></a>')).toBe('</a>');
    expect(svg).toContain('<title>two become one</title>');
    expect(svg).toContain('<desc>A story with &lt;tags&gt; &amp; &quot;quotes&quot;.</desc>');
    expect(svg).toContain('>first &amp; &lt;only&gt;</text>');
    expect(svg).toContain("merge({ text: '&lt;a &amp; b&gt;' })");
    expect(svg).not.toMatch(/<tags>|<only>|<a & b>/);
  });

  it('contains only characters that XML allows', () => {
    const odd = draw('a\ntitle = \u0007bell \ud800\na := 1\n> x\n-');
    expect(odd).toContain('>\ufffdbell \ufffd</text>');
  });

  it('is self-contained in light and in dark pages: background and text change together', () => {
    expect(svg).not.toMatch(/href|url\(|@import/);
    expect(svg).toMatch(/prefers-color-scheme:dark\)\{\n\.paper\{fill:#0d1117\}\n/);
    expect(svg).toContain('<rect class="paper"');
  });

  it('is as wide as its longest row or text, and the same every time', () => {
    const width = (source: string): number => Number(/width="(\d+)"/.exec(draw(source))?.[1]);
    expect(width('-\n> x\n-')).toBeLessThan(width('----------\n> x\n-'));
    expect(width('-\n> x\n-')).toBeLessThan(width('-\n> x("a long argument")\n-'));
    expect(width('-\n> x\n-')).toBeLessThan(width('-\ntitle = a title that is longer than all\n> x\n-'));
    expect(draw(text)).toBe(svg);
  });
});
