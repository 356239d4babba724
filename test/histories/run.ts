import { OpCode } from '../../core/protocol/index.js';
import { Client } from './client.js';
import { Dice } from './dice.js';
import { Faults, type Fault } from './faults.js';
import type { History } from './history.js';
import { DIRECTORIES, ROOT, setUp } from './places.js';
import { childrenIn, get, list, look, Reader, type Answer } from './reader.js';
import { Recorder } from './recorder.js';
import { Stage } from './stage.js';

const CLIENTS = 6;
/** In a run of less than 40 s faults are shorter. */
const LONGEST_FAULT_MS = 4000;
const MS_BETWEEN_LOOKS = 300;
/** Beyond every session timeout and time to live, on a busy machine. */
const SETTLE_MS = 120_000;

export interface RunOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly members: number;
  readonly faults: readonly Fault[];
}

export interface RunResult {
  readonly history: History;
  readonly faults: ReadonlyMap<Fault, number>;
}

/** Plays clients and faults against members as processes; resolves when all is over, with everything that was recorded. */
export async function record({ seed, seconds, members, faults: kinds }: RunOptions): Promise<RunResult> {
  await using stage = await Stage.start(members);
  const recorder = new Recorder();
  const dice = new Dice(seed);
  const longestMs = Math.min(LONGEST_FAULT_MS, seconds * 100);
  const faults = new Faults(stage, { dice: new Dice(seed + 1), kinds, longestMs });
  const parts = { stage, recorder, dice };
  await Reader.use(parts, async (reader) => void (await reader.ask(setUp())));

  const calm = new AbortController();
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const name = `c${index + 1}`;
    const own = new Dice(seed * 1000 + index);
    return new Client({ name, dice: own, dial: (from) => stage.dial(recorder, name, from) });
  });
  const atWork = clients.map((client) => client.run(calm.signal));
  const striking = faults.run(calm.signal);
  const timer = setTimeout(() => calm.abort(), seconds * 1000);
  await striking;
  stage.network.heal();
  await Promise.all(atWork);
  clearTimeout(timer);

  await stage.ensemble.serving(...stage.ensemble.ids);
  await Reader.use(parts, settle);
  for (const member of stage.ensemble.ids) await Reader.use({ ...parts, member }, readEverything);
  const finals = await stage.finals();
  const logs = await stage.logs();
  const history = { traffic: recorder.traffic, logs, finals, exits: stage.exits, root: ROOT };
  return { history, faults: faults.counts };
}

/** Waits until sessions that were left, and times to live, are over. What is left after that is for the judge. */
async function settle(reader: Reader): Promise<void> {
  const { expiring, ...others } = DIRECTORIES;
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const expired = childrenIn(await reader.ask([list(expiring)])).length === 0;
    const paths = childrenIn(await reader.ask(Object.values(others).map(list)));
    const isOver = expired && !(await reader.ask(paths.map(look))).some(isEphemeral);
    if (isOver || performance.now() > deadline) return;
    await new Promise((resolve) => setTimeout(resolve, MS_BETWEEN_LOOKS));
  }
}

function isEphemeral({ reply }: Answer): boolean {
  return reply?.op === OpCode.exists && reply.body.stat.ephemeralOwner !== 0n;
}

/** The whole subtree, behind a `sync`. */
async function readEverything(reader: Reader): Promise<void> {
  await reader.ask([{ op: OpCode.sync, body: { path: ROOT } }]);
  let level: readonly string[] = [ROOT];
  while (level.length > 0)
    level = childrenIn(await reader.ask(level.flatMap((path) => [list(path), get(path)])));
}
