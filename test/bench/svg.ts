/** Pictures of lines, as SVG that reads well on light and on dark: axes with labels, linear or logarithmic, and a legend. */

export interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Axis {
  readonly says: string;
  readonly scale: 'linear' | 'log';
  /** What stands at a place; by default the number. */
  readonly label?: (value: number) => string;
  /** Where labels stand; by default at round numbers. */
  readonly ticks?: readonly number[];
}

export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
}

const WIDTH = 460;
const HEIGHT = 320;
const MARGIN = { left: 68, right: 16, top: 34, bottom: 46 };
const LEGEND_HEIGHT = 26;
const LEGEND_STEP = 150;
const COLOURS = [
  ['#0969da', '#58a6ff'],
  ['#cf222e', '#ff7b72'],
  ['#1a7f37', '#3fb950'],
  ['#8250df', '#bc8cff'],
  ['#9a6700', '#d29922'],
] as const;

/** Panels beside each other, under one legend: those that have a line of the same name use the same colour for it. */
export function picture(panels: readonly Panel[]): string {
  const names = [...new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const width = WIDTH * panels.length;
  const height = HEIGHT + LEGEND_HEIGHT;
  const legend = names.map((name, at) => {
    const x = MARGIN.left + at * LEGEND_STEP;
    return `<g transform="translate(${x} ${HEIGHT + 8})"><path class="line c${at}" d="M0 0h22"/><text x="28" y="4">${escaped(name)}</text></g>`;
  });
  const drawn = panels.map(
    (panel, at) => `<g transform="translate(${at * WIDTH} 0)">\n${drawPanel(panel, names)}\n</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<style>${style()}</style>
${[...drawn, ...legend].join('\n')}
</svg>
`;
}

function style(): string {
  const dark = (rules: string): string => `@media (prefers-color-scheme: dark) { ${rules} }`;
  const coloured = (shade: 0 | 1): string =>
    COLOURS.map(
      (pair, at) => `.line.c${at} { stroke: ${pair[shade]} } .dot.c${at} { fill: ${pair[shade]} }`,
    ).join(' ');
  return [
    'text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 13px }',
    '.axis { stroke: #59636e; fill: none } .grid { stroke: #d1d9e0; fill: none } .line { fill: none; stroke-width: 2 }',
    coloured(0),
    dark(`text { fill: #e6edf3 } .axis { stroke: #9198a1 } .grid { stroke: #3d444d } ${coloured(1)}`),
  ].join('\n');
}

function drawPanel({ title, x, y, lines }: Panel, names: readonly string[]): string {
  const points = lines.flatMap((line) => line.points);
  const across = scaleOf(
    x,
    points.map((point) => point.x),
    [MARGIN.left, WIDTH - MARGIN.right],
  );
  const up = scaleOf(
    y,
    points.map((point) => point.y),
    [HEIGHT - MARGIN.bottom, MARGIN.top],
  );
  const bottom = HEIGHT - MARGIN.bottom;
  const parts = [
    `<text class="title" x="${MARGIN.left}" y="18">${escaped(title)}</text>`,
    ...across.ticks.map((tick) => {
      const at = round(across.place(tick));
      return `<path class="axis" d="M${at} ${bottom}v5"/><text x="${at}" y="${bottom + 18}" text-anchor="middle">${escaped(across.label(tick))}</text>`;
    }),
    ...up.ticks.map((tick) => {
      const at = round(up.place(tick));
      return `<path class="grid" d="M${MARGIN.left} ${at}H${WIDTH - MARGIN.right}"/><text x="${MARGIN.left - 8}" y="${at + 4}" text-anchor="end">${escaped(up.label(tick))}</text>`;
    }),
    `<path class="axis" d="M${MARGIN.left} ${MARGIN.top}V${bottom}H${WIDTH - MARGIN.right}"/>`,
    `<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escaped(x.says)}</text>`,
    `<text x="14" y="${(MARGIN.top + bottom) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(MARGIN.top + bottom) / 2})">${escaped(y.says)}</text>`,
  ];
  for (const line of lines.filter((one) => one.points.length > 0)) {
    const colour = names.indexOf(line.name) % COLOURS.length;
    const places = line.points.map((point) => `${round(across.place(point.x))} ${round(up.place(point.y))}`);
    parts.push(`<path class="line c${colour}" d="M${places.join('L')}"/>`);
    parts.push(
      ...places.map((place) => {
        const [cx, cy] = place.split(' ');
        return `<circle class="dot c${colour}" cx="${cx}" cy="${cy}" r="3"/>`;
      }),
    );
  }
  return parts.join('\n');
}

interface Scale {
  readonly ticks: readonly number[];
  readonly place: (value: number) => number;
  readonly label: (value: number) => string;
}

/** From values to places between `from` and `to`. */
function scaleOf(
  { scale, label = (value) => value.toLocaleString('en'), ticks }: Axis,
  values: readonly number[],
  [from, to]: readonly [number, number],
): Scale {
  const known = values.filter((value) => Number.isFinite(value) && (scale === 'linear' || value > 0));
  const [low, high] = known.length === 0 ? [1, 10] : [Math.min(...known), Math.max(...known)];
  const all = ticks ?? (scale === 'log' ? decades(low, high) : roundSteps(high));
  const [first, last] = [Math.min(low, all[0]!), Math.max(high, all.at(-1)!)];
  const of = (value: number): number => (scale === 'log' ? Math.log(value) : value);
  const [begin, end] = [scale === 'linear' && ticks === undefined ? 0 : of(first), of(last)];
  const extent = end - begin || 1;
  return { ticks: all, label, place: (value) => from + ((of(value) - begin) / extent) * (to - from) };
}

/** Powers of ten around the values; where they lie close together, 2 and 5 of each as well. */
export function decades(low: number, high: number): readonly number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const steps = last - first <= 2 ? [1, 2, 5] : [1];
  const all: number[] = [];
  for (let power = first; power <= last; power++)
    all.push(...steps.map((step) => Number((step * 10 ** power).toPrecision(1))));
  const begin = Math.max(
    0,
    all.findLastIndex((tick) => tick <= low),
  );
  const end = all.findIndex((tick) => tick >= high);
  return all.slice(begin, end === -1 ? undefined : end + 1);
}

/** From 0 to above `high`, in about five round steps. */
export function roundSteps(high: number): readonly number[] {
  const raw = (high || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw)!;
  const count = Math.max(1, Math.ceil((high || 1) / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
