import { Command } from 'commander';
import type { Client } from '../../core/client/index.js';
import { printableLine } from '../../core/runtime/index.js';
import { LeaderJobs, QuorateError, type KeptRun } from '../../framework/index.js';
import { onEnsemble, withEnsembleFlags, type EnsembleFlags } from './on-ensemble.js';
import { print } from './output.js';

/** `quorate job`: the jobs under `@LeaderOnly`, of which there is one in the fleet. */
export function jobCommand(): Command {
  const trigger = new Command('trigger')
    .description('ask the leader for a run now, beside the schedule')
    .argument('<name>', 'name of the job')
    .action((name: string, flags: EnsembleFlags) =>
      onEnsemble(flags, async (client) => {
        await requireJob(client, name);
        await new LeaderJobs(client).trigger(name);
        print(`asked for a run of ${name}\n`);
      }),
    );
  const history = new Command('history')
    .description('how the last runs went, newest first')
    .argument('<name>', 'name of the job')
    .option('--json', 'one JSON object for each run instead of text')
    .action((name: string, flags: EnsembleFlags & { readonly json?: boolean }) =>
      onEnsemble(flags, async (client) => {
        await requireJob(client, name);
        const runs = await new LeaderJobs(client).history(name);
        const lines = runs.map((run) => (flags.json === true ? toJson(run) : describe(run)));
        if (lines.length === 0 && flags.json !== true) lines.push(`no run of ${name} is known`);
        print(lines.map((line) => `${line}\n`).join(''));
      }),
    );
  const candidates = new Command('candidates')
    .description('who leads, and who would be next, in order')
    .argument('<name>', 'name of the job')
    .action((name: string, flags: EnsembleFlags) =>
      onEnsemble(flags, async (client) => {
        await requireJob(client, name);
        const found = await new LeaderJobs(client).candidates(name);
        const lines = found.map(
          ({ id, isLeader }) => `${isLeader ? 'leads  ' : 'stands '} ${printableLine(id)}`,
        );
        print(lines.length === 0 ? `nobody stands for ${name}\n` : `${lines.join('\n')}\n`);
      }),
    );
  const command = new Command('job').description('jobs that only the leader runs');
  for (const each of [trigger, history, candidates]) command.addCommand(withEnsembleFlags(each));
  return command;
}

/** A name that no process has used is most likely misspelt: nothing would ever come of it. */
async function requireJob(client: Client, name: string): Promise<void> {
  const found = await Promise.all(['/leaders', '/schedules'].map((root) => client.exists(`${root}/${name}`)));
  if (found.some((stat) => stat !== null)) return;
  throw new QuorateError(
    'LEADER_JOB_MISSING',
    `There is no leader job ${name}: no process has declared it. \`quorate shell ls /leaders\` lists the names.`,
    { fields: { name } },
  );
}

function describe({ scheduledAt, kind, outcome, durationMs, by, error }: KeptRun): string {
  const took = durationMs === undefined ? '' : ` in ${(durationMs / 1000).toFixed(1)} s`;
  const why = error === undefined ? '' : `: ${error}`;
  return printableLine(
    `${new Date(scheduledAt).toISOString()}  ${kind.padEnd(9)}  ${outcome}${took} by ${by}${why}`,
  );
}

function toJson(run: KeptRun): string {
  return JSON.stringify({ ...run, fence: `0x${run.fence.toString(16)}` });
}
