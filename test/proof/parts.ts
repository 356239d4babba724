/** How much each part plays. */
export interface Amounts {
  /** Seeds of each mode, and the first of them. */
  readonly safety: number;
  readonly liveness: number;
  readonly founding: number;
  readonly from: number;
  /** Seeds that each mutant gets at most. */
  readonly mutantSeeds: number;
  /** Names of mutants; all if empty. */
  readonly mutants: readonly string[];
  readonly historySeconds: number;
  readonly kills: number;
  readonly fuzzSeconds: number;
  /** Processes at once, where a part can use several. */
  readonly jobs: number;
}

/** One row of the table: an existing command, and where its figures stand in what it prints. */
export interface Part {
  readonly name: string;
  /** Parts of one group are chosen together. */
  readonly group: string;
  readonly about: string;
  /** Arguments of Node, the file first, below `dist/test`. */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The figures in the output; null if they are not there: then the part has failed, whatever its exit code. */
  readonly figures: (output: string) => string | null;
}

export function partsFor(amounts: Amounts): readonly Part[] {
  return [
    ...seeds(amounts),
    mutants(amounts),
    {
      name: 'crash-states',
      group: 'crash-states',
      about: 'every state that a crash of the storage may leave, also of a crash during the recovery',
      command: ['run.js', 'core/storage/crash-states'],
      figures: testFigures,
    },
    ...histories(amounts),
    {
      name: 'fuzz',
      group: 'fuzz',
      about: `generated client packets, frames, HTTP heads and peer messages for ${amounts.fuzzSeconds} s`,
      command: ['fuzz/fuzz.test.js'],
      environment: {
        QUORATE_FUZZ_SECONDS: `${amounts.fuzzSeconds}`,
        QUORATE_FUZZ_SEED: `${amounts.from}`,
      },
      figures: testFigures,
    },
    {
      name: 'fuzz-codecs',
      group: 'fuzz',
      about: 'hostile bytes for the codecs, random lives of the storage',
      command: ['run.js', 'core/protocol/hostile-bytes', 'core/storage/random-life'],
      figures: testFigures,
    },
    {
      name: 'kills-alone',
      group: 'kills',
      about: 'one member that is killed 100 times under load',
      command: ['run.js', 'process/kill'],
      figures: testFigures,
    },
    {
      name: 'kills-ensemble',
      group: 'kills',
      about: `leader and followers of three members, killed ${amounts.kills} times under load`,
      command: ['process/ensemble-kill.test.js'],
      environment: { QUORATE_KILLS: `${amounts.kills}` },
      figures: testFigures,
    },
  ];
}

function seeds({ safety, liveness, founding, from, jobs }: Amounts): readonly Part[] {
  return Object.entries({ safety, liveness, founding }).map(([mode, count]) => ({
    name: `seeds-${mode}`,
    group: 'seeds',
    about: `simulated ensembles in ${mode} mode`,
    command: words(`simulation/simulate.js --mode ${mode} --seeds ${count} --from ${from} --jobs ${jobs}`),
    figures: (output) => {
      const [, runs, findings] = /^(\d+) runs, (\d+) findings, [\d.]+ s\s*$/m.exec(lastLines(output)) ?? [];
      const [, transactions] = /"transactions":(\d+)/.exec(output) ?? [];
      const [, epochs] = /"epochs":(\d+)/.exec(output) ?? [];
      if (runs === undefined || Number(runs) < count) return null;
      return `${runs} seeds, ${findings} findings, ${transactions} transactions, ${epochs} epochs`;
    },
  }));
}

function mutants({ mutantSeeds, mutants: names, from, jobs }: Amounts): Part {
  return {
    name: 'mutants',
    group: 'mutants',
    about: 'known bugs, put back one at a time, each of which has to be found',
    command: words(
      `simulation/mutants/run.js --seeds ${mutantSeeds} --from ${from} --jobs ${jobs} ${names.join(' ')}`,
    ),
    figures: (output) => {
      const summary = /^(\d+ of \d+ caught within \d+ seeds), in [\d.]+ minutes$/m.exec(output)?.[1];
      if (summary === undefined) return null;
      const survivors = [...output.matchAll(/^\| ([\w-]+) \|.*\*\*survived\*\*/gm)].map(([, name]) => name);
      return survivors.length === 0 ? summary : `${summary}; survived: ${survivors.join(', ')}`;
    },
  };
}

function histories({ historySeconds, from }: Amounts): readonly Part[] {
  return [3, 5].map((members) => ({
    name: `histories-${members}`,
    group: 'histories',
    about: `clients on ${members} members as processes under all faults for ${historySeconds} s`,
    command: words(
      `histories/program.js --members ${members} --seconds ${historySeconds} --seed ${from} --faults all`,
    ),
    figures: (output) => {
      const [, operations] = /^(\d+ operations .*)$/m.exec(output) ?? [];
      const [, faults] = /^(faults: .*)$/m.exec(output) ?? [];
      const [, contradictions] = /^(\d+ contradictions)$/m.exec(output) ?? [];
      if (operations === undefined || contradictions === undefined) return null;
      return `${operations}; ${faults}; ${contradictions}`;
    },
  }));
}

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}

/** What tests measured, and how many there were. */
function testFigures(output: string): string | null {
  const measured = [...output.matchAll(/^\s*# (.+)$/gm)].map(([, line]) => line!.trim());
  const [, passed, failed, skipped] =
    /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(output) ?? totalsOfOneFile(output);
  if (passed === undefined || Number(passed) === 0) return null;
  return [...measured, `${passed} tests passed, ${failed} failed, ${skipped} skipped`].join('; ');
}

/** A test file that runs by itself. */
function totalsOfOneFile(output: string): readonly (string | undefined)[] {
  const count = (label: string): string | undefined =>
    new RegExp(`^\\s*${label}:\\s+(\\d+)\\s*$`, 'm').exec(output)?.[1];
  const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')];
  if (total === undefined || passed === undefined) return [];
  return [undefined, passed, `${Number(total) - Number(passed)}`, skipped];
}

function lastLines(output: string): string {
  return output.trimEnd().split('\n').slice(-3).join('\n');
}
