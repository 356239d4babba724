import { parentPort } from 'node:worker_threads';
import { run } from '../run.js';
import type { Job, SeedReport } from './seed-pool.js';

/** A thread that runs one seed after the other. */
const port = parentPort!;

async function play({ seed, mode }: Job): Promise<void> {
  const { finding, transactions, epochs, virtualMs, counts } = await run({ seed, mode });
  const report: SeedReport = {
    seed,
    mode,
    finding: finding === null ? null : inWords(finding),
    transactions,
    epochs,
    virtualMs,
    counts,
  };
  port.postMessage(report);
}

/** With its stack if it is no finding of a checker. */
function inWords(finding: Error): string {
  const cause = finding.cause instanceof Error ? `\ncaused by ${inWords(finding.cause)}` : '';
  const isChecked = finding.constructor.name === 'Violation';
  return (isChecked ? finding.message : (finding.stack ?? finding.message)) + cause;
}

port.on('message', (job: Job) => void play(job));
