import type { Servers } from '../servers/index.js';
import { Player, type Observation } from './player.js';
import { shrink } from './shrink.js';
import { sequenceOf } from './sequence.js';
import { isRaw, opOf, type Sent, type Step } from './step.js';
import { OpCode } from '../../../core/protocol/index.js';

/** What two servers did not answer alike. */
export interface Divergence {
  readonly index: number;
  readonly theirs: Observation;
  readonly ours: Observation;
}

/** Plays the same to both; null if nothing differs. */
export async function compare(
  theirs: string,
  ours: string,
  steps: readonly Step[],
): Promise<Divergence | null> {
  const [their, our] = await Promise.all([Player.play(theirs, steps), Player.play(ours, steps)]);
  const index = steps.findIndex((_step, at) => their[at]!.join('\n') !== our[at]!.join('\n'));
  return index === -1 ? null : { index, theirs: their[index]!, ours: our[index]! };
}

/** Lines that say how a seed fails, in as few steps as were found; empty if it does not. */
export async function judgeSeed(
  seed: number,
  length: number,
  theirs: Servers,
  ours: Servers,
): Promise<string[]> {
  const lines = await judgeSteps(sequenceOf(seed, length), theirs, ours);
  if (lines.length === 0) return [];
  return [...lines, `again: npm run conformance:differential -- --seed ${seed} --length ${length}`];
}

/** The same for steps that somebody else has chosen. */
export async function judgeSteps(steps: readonly Step[], theirs: Servers, ours: Servers): Promise<string[]> {
  const [there, here] = [theirs.addresses[0]!, ours.addresses[0]!];
  const divergence = await compare(there, here, steps);
  if (divergence === null) return [];
  const shortest = await shrink(steps.slice(0, divergence.index + 1), async (candidate) => {
    return (await compare(there, here, candidate))?.index ?? null;
  });
  const last = (await compare(there, here, shortest)) ?? divergence;
  return [
    `step ${divergence.index} of ${steps.length} differs: ${describeStep(steps[divergence.index]!)}`,
    ...divergence.theirs.map((line) => `- ${line}`),
    ...divergence.ours.map((line) => `+ ${line}`),
    `in ${shortest.length} steps:`,
    ...shortest.map((step) => `  ${describeStep(step)}`),
    ...last.theirs.map((line) => `- ${line}`),
    ...last.ours.map((line) => `+ ${line}`),
  ];
}

function describeStep(step: Step): string {
  if (step.move !== 'send') return JSON.stringify(step);
  return `${step.slot}: ${step.requests.map(describeSent).join('; ')}`;
}

function describeSent(sent: Sent): string {
  if (isRaw(sent)) return `operation ${sent.op} with ${sent.hex}`;
  const op = opOf(sent);
  const name = Object.entries(OpCode).find(([, code]) => code === op)![0];
  return `${name} ${describeBody('body' in sent ? sent.body : sent)}`;
}

function describeBody(body: unknown): string {
  return JSON.stringify(body, (_key, value: unknown) => {
    if (value instanceof Uint8Array)
      return value.length > 20 ? `${value.length} bytes` : Buffer.from(value).toString('latin1');
    return typeof value === 'bigint' ? `${value}` : value;
  });
}
