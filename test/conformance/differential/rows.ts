import type { Cell, Column, Row } from '../matrix.js';
import { ApacheServers, QuorateServers, type Servers } from '../servers/index.js';
import { THEMES, type Theme } from './choice.js';
import { batchesOf } from './batches.js';
import { judgeSeed, judgeSteps } from './differential.js';
import { forgetEnsemble } from './housekeeping.js';
import { judgeKnown, KNOWN_HEADINGS } from './known.js';

const CLIENT = 'random sequences';
const BATCH_ROW = 'batches in one piece';
const KNOWN_ROW = 'differences kept on purpose';
/** Sequences of each theme, of steps each. */
const SEEDS_PER_THEME = 10;
const STEPS = 250;
/** Of each theme, seeds that stay the same from run to run. */
const FIXED_SEEDS_PER_THEME = 3;
/** Seeds that once showed a fault, of the product or of the comparison; each belongs to the theme that its remainder says. */
const FAILED_SEEDS = [209744577, 300000125];
/** No container is looked through while sequences are compared. */
const OPTIONS = { containerCheckMs: 3_600_000 };

const OURS = { 'Quorate, one': 1, 'Quorate, three': 3 } as const;
type OurColumn = keyof typeof OURS;

/** The rows of the matrix whose names contain one of the words; all if there are none. */
function wanted(words: readonly string[]): readonly string[] {
  const names = [...THEMES, BATCH_ROW, KNOWN_ROW];
  if (words.length === 0) return names;
  return names.filter((name) => words.some((word) => `${CLIENT}/${name}`.includes(word)));
}

/** Plays random sequences, and those that show known differences, to Apache ZooKeeper and to Quorate. */
export async function differentialRows(words: readonly string[], firstSeed: number): Promise<Row[]> {
  const names = wanted(words);
  if (names.length === 0) return [];
  if (!ApacheServers.isInstalled()) return names.map((name) => row(name, () => cell('skipped', [])));
  console.log(`random sequences: first seed ${firstSeed}`);
  const cells = new Map<string, Cell>();
  const columns = Object.entries(OURS) as [OurColumn, 1 | 3][];
  const play = async ([column, count]: (typeof columns)[number]): Promise<void> => {
    // Both begin empty: what always is there keeps what earlier sequences did to it.
    await using theirs = await ApacheServers.start(1, OPTIONS);
    await using ours = await QuorateServers.start(count, OPTIONS);
    for (const servers of [theirs, ours]) await forgetEnsemble(servers);
    for (const name of names) {
      const startedAt = performance.now();
      const faults = await judge(name, firstSeed, theirs, ours);
      const headings = name === KNOWN_ROW ? KNOWN_HEADINGS : [];
      cells.set(`${name} ${column}`, cell(faults.length > 0 ? 'failed' : 'same', faults, headings));
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      console.log(`ran ${CLIENT} on ${column}: ${name} (${seconds} s)`);
    }
  };
  await Promise.all(columns.map(play));
  return names.map((name) =>
    row(name, (column) =>
      column === 'ZooKeeper, one' ? cell('reference', []) : cells.get(`${name} ${column}`),
    ),
  );
}

function judge(name: string, firstSeed: number, theirs: Servers, ours: Servers): Promise<string[]> {
  if (name === KNOWN_ROW) return judgeAllKnown(theirs, ours);
  if (name === BATCH_ROW) return judgeBatches(firstSeed, theirs, ours);
  return judgeTheme(name as Theme, firstSeed, theirs, ours);
}

async function judgeBatches(firstSeed: number, theirs: Servers, ours: Servers): Promise<string[]> {
  for (let at = 0; at < SEEDS_PER_THEME; at++) {
    const seed = (at < FIXED_SEEDS_PER_THEME ? 0 : firstSeed) + at;
    const lines = await judgeSteps(batchesOf(seed), theirs, ours);
    if (lines.length > 0) return [`batches of seed ${seed}:`, ...lines];
  }
  return [];
}

async function judgeTheme(
  theme: Theme,
  firstSeed: number,
  theirs: Servers,
  ours: Servers,
): Promise<string[]> {
  const index = THEMES.indexOf(theme);
  const seeds = Array.from({ length: SEEDS_PER_THEME }, (_, at) => {
    const start = at < FIXED_SEEDS_PER_THEME ? 0 : firstSeed - (firstSeed % THEMES.length);
    return start + at * THEMES.length + index;
  });
  const failed = FAILED_SEEDS.filter((seed) => seed % THEMES.length === index);
  const faults: string[] = [];
  for (const seed of [...failed, ...seeds]) {
    faults.push(...(await judgeSeed(seed, STEPS, theirs, ours)));
    // One is enough to work on, and the shrinking of others would take its time.
    if (faults.length > 0) break;
  }
  return faults;
}

async function judgeAllKnown(theirs: Servers, ours: Servers): Promise<string[]> {
  const faults: string[] = [];
  for (const heading of KNOWN_HEADINGS) {
    for (const [side, servers] of [
      ['theirs', theirs],
      ['ours', ours],
    ] as const) {
      const lines = await judgeKnown(heading, servers, side);
      if (lines.length > 0) faults.push(`${heading} (${side}):`, ...lines);
    }
  }
  return faults;
}

function cell(outcome: Cell['outcome'], faults: readonly string[], headings: readonly string[] = []): Cell {
  return { outcome, headings, faults };
}

function row(scenario: string, cellIn: (column: Column) => Cell | undefined): Row {
  const columns: Column[] = ['ZooKeeper, one', 'Quorate, one', 'Quorate, three'];
  const cells = columns
    .map((column) => [column, cellIn(column)] as const)
    .filter(([, one]) => one !== undefined);
  return { client: CLIENT, scenario, cells: Object.fromEntries(cells) as Row['cells'] };
}
