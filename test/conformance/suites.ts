import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareTranscripts } from './comparison.js';
import { COLUMNS, type Cell, type Column, type Row } from './matrix.js';
import { runProgram, type Transcript } from './program-run.js';
import { ApacheServers, QuorateServers, type Servers, type ServersOptions } from './servers/index.js';
import { sourceFolder, type Suite } from './suite.js';

/** Programs at once: one for each core of a small machine. */
const PROGRAMS_AT_ONCE = 2;
const DIFFERENCES = join(sourceFolder(import.meta.url), 'DIFFERENCES.md');

/** A suite, and which of its scenarios are wanted. */
export interface Wanted {
  readonly suite: Suite;
  readonly scenarios: readonly string[];
}

export interface SuitesOptions {
  readonly withQuorate: boolean;
  /** Directory to keep what every program printed in; none if null. */
  readonly transcripts: string | null;
}

/** The suites in `clients/<name>/suite.js` and in `<name>/suite.js`, with the scenarios whose names contain one of the words. */
export async function findSuites(words: readonly string[]): Promise<Wanted[]> {
  const here = dirname(fileURLToPath(import.meta.url));
  const folders = [join(here, 'clients'), here];
  const found: Wanted[] = [];
  for (const folder of folders) {
    for (const name of (await readdir(folder)).sort()) {
      const file = join(folder, name, 'suite.js');
      if (!existsSync(file)) continue;
      const { suite } = (await import(file)) as { suite: Suite };
      const scenarios = suite.scenarios.filter((scenario) =>
        words.length === 0 ? true : words.some((word) => `${suite.name}/${scenario}`.includes(word)),
      );
      if (scenarios.length > 0) found.push({ suite, scenarios });
    }
  }
  return found;
}

const START: Readonly<Record<Column, (options: ServersOptions) => Promise<Servers>>> = {
  'ZooKeeper, one': (options) => ApacheServers.start(1, options),
  'ZooKeeper, three': (options) => ApacheServers.start(3, options),
  'Quorate, one': (options) => QuorateServers.start(1, options),
  'Quorate, three': (options) => QuorateServers.start(3, options),
};

/** Runs the scenarios on all kinds of servers, each on servers of its own. */
export async function runSuites(wanted: readonly Wanted[], options: SuitesOptions): Promise<Row[]> {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-conformance-'));
  try {
    const runs = await Promise.all(wanted.map((one) => SuiteRun.prepare(one, directory, options)));
    const jobs = runs.flatMap((run) => run.jobs());
    await Promise.all(
      Array.from({ length: PROGRAMS_AT_ONCE }, async () => {
        for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job();
      }),
    );
    const headings = await headingsOf(DIFFERENCES);
    return runs.flatMap((run) => run.rows(headings));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function headingsOf(file: string): Promise<Set<string>> {
  const text = await readFile(file, 'utf8');
  return new Set([...text.matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!));
}

/** One suite on its way through all kinds of servers. */
class SuiteRun {
  readonly #suite: Suite;
  readonly #scenarios: readonly string[];
  readonly #directory: string;
  readonly #options: SuitesOptions;
  readonly #isInstalled: boolean;
  readonly #transcripts = new Map<Column, Map<string, Transcript>>();

  private constructor(wanted: Wanted, directory: string, options: SuitesOptions, isInstalled: boolean) {
    this.#suite = wanted.suite;
    this.#scenarios = wanted.scenarios;
    this.#directory = directory;
    this.#options = options;
    this.#isInstalled = isInstalled;
  }

  static async prepare(wanted: Wanted, parent: string, options: SuitesOptions): Promise<SuiteRun> {
    const directory = join(parent, wanted.suite.name);
    await mkdir(directory);
    const isInstalled = ApacheServers.isInstalled() && (await wanted.suite.installed());
    if (isInstalled) await wanted.suite.prepare(directory);
    return new SuiteRun(wanted, directory, options, isInstalled);
  }

  jobs(): (() => Promise<void>)[] {
    if (!this.#isInstalled) return [];
    const columns = COLUMNS.filter((column) => this.#scenariosOn(column).length > 0);
    return columns.map((column) => () => this.#runOn(column));
  }

  rows(headings: ReadonlySet<string>): Row[] {
    return this.#scenarios.map((scenario) => {
      const columns = COLUMNS.filter((column) => this.#scenariosOn(column).includes(scenario));
      const cells = columns.map((column) => [column, this.#cell(column, scenario, headings)]);
      return { client: this.#suite.name, scenario, cells: Object.fromEntries(cells) as Row['cells'] };
    });
  }

  #scenariosOn(column: Column): readonly string[] {
    if (column.startsWith('Quorate') && !this.#options.withQuorate) return [];
    if (column.endsWith('three')) return this.#scenarios;
    return this.#scenarios.filter((scenario) => !this.#suite.onThreeOnly?.includes(scenario));
  }

  async #runOn(column: Column): Promise<void> {
    const startedAt = performance.now();
    const scenarios = this.#scenariosOn(column);
    let transcripts: Map<string, Transcript>;
    try {
      transcripts = await this.#runProgram(column, scenarios);
      if (column.startsWith('ZooKeeper')) await this.#runFailedAgain(column, transcripts);
    } catch (error) {
      const transcript = { lines: [], faults: String(error).split('\n') };
      transcripts = new Map(scenarios.map((scenario) => [scenario, transcript]));
    }
    this.#transcripts.set(column, transcripts);
    await this.#keep(column, transcripts);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`ran ${this.#suite.name} on ${column}: ${scenarios.length} scenarios (${seconds} s)`);
  }

  /**
   * A scenario that failed on ZooKeeper itself leaves nothing to compare with, and says nothing of Quorate: such a one is run
   * once more, on new servers. What fails on Quorate is never run again.
   */
  async #runFailedAgain(column: Column, transcripts: Map<string, Transcript>): Promise<void> {
    const failed = [...transcripts].filter(([, { faults }]) => faults.length > 0);
    if (failed.length === 0) return;
    for (const [scenario, { faults }] of failed)
      console.log(`${this.#suite.name}/${scenario} failed on ${column}, once more: ${faults.join(' ')}`);
    const names = failed.map(([scenario]) => scenario);
    for (const [scenario, transcript] of await this.#runProgram(column, names))
      transcripts.set(scenario, transcript);
  }

  async #runProgram(column: Column, scenarios: readonly string[]): Promise<Map<string, Transcript>> {
    const servers = await START[column](this.#suite.servers ?? {});
    try {
      const command = this.#suite.command(this.#directory);
      return await runProgram({ command, scenarios, environment: this.#suite.environment ?? {} }, servers);
    } finally {
      await servers[Symbol.asyncDispose]();
    }
  }

  async #keep(column: Column, transcripts: ReadonlyMap<string, Transcript>): Promise<void> {
    if (this.#options.transcripts === null) return;
    await mkdir(this.#options.transcripts, { recursive: true });
    const lines = [...transcripts].flatMap(([name, { lines, faults }]) => [
      `## ${name}`,
      ...lines,
      ...faults,
    ]);
    const file = `${this.#suite.name} ${column}`.replace(/[^a-z]+/gi, '-').toLowerCase();
    await writeFile(join(this.#options.transcripts, `${file}.txt`), `${lines.join('\n')}\n`);
  }

  #cell(column: Column, scenario: string, headings: ReadonlySet<string>): Cell {
    if (!this.#isInstalled) return { outcome: 'skipped', headings: [], faults: [] };
    const reference = column.endsWith('three') ? 'ZooKeeper, three' : 'ZooKeeper, one';
    const theirs = this.#transcripts.get(reference)!.get(scenario)!;
    if (column === reference) {
      const outcome = theirs.faults.length > 0 ? 'failed' : 'reference';
      return { outcome, headings: [], faults: theirs.faults };
    }
    const known = (this.#suite.differences ?? []).filter(
      (difference) => difference.scenario === scenario && column.endsWith(difference.on ?? ''),
    );
    const ours = this.#transcripts.get(column)!.get(scenario)!;
    const comparison = compareTranscripts(theirs, ours, known);
    const unlisted = comparison.headings.filter((heading) => !headings.has(heading));
    const faults = [
      ...comparison.faults,
      ...unlisted.map((heading) => `DIFFERENCES.md has no heading "${heading}"`),
    ];
    return { outcome: faults.length > 0 ? 'failed' : 'same', headings: comparison.headings, faults };
  }
}
