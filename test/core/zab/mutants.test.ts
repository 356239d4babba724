/**
 * Puts known mistakes into a copy of the compiled room, one at a time, and demands that the simulation catches
 * each: a checker that cannot fail proves nothing.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

interface Mutant {
  readonly mistake: string;
  /** Per file of the compiled room: what is replaced by what. */
  readonly changes: readonly (readonly [file: string, original: string, mistaken: string])[];
}

const MUTANTS: readonly Mutant[] = [
  {
    mistake: 'a follower acknowledges what is not durable yet',
    changes: [
      [
        'learner.js',
        'const { disk, outbox, deliveredZxid } = this.#state;',
        'const { outbox, deliveredZxid } = this.#state; const disk = { durableZxid: this.#state.history.last };',
      ],
    ],
  },
  {
    mistake: 'a follower promises an epoch before the promise is durable',
    changes: [['learner.js', 'this.#epoch === 0 || !disk.isIdle', 'this.#epoch === 0']],
  },
  {
    mistake: 'a leader announces its epoch before it is durable',
    changes: [['discovery.js', 'this.#state.disk.durableAcceptedEpoch >= this.#epoch', 'true']],
  },
  {
    mistake: 'a leader counts its own copy before it is durable',
    changes: [
      [
        'leader.js',
        'this.#state.disk.append(entry);',
        "this.#state.disk.append(entry); if (this.#phase === 'broadcast') this.#noteAck(this.#state.id, entry.zxid);",
      ],
    ],
  },
  {
    mistake: 'proposals are applied when they are durable, committed or not',
    changes: [['peer-state.js', 'minZxid(this.#commitZxid, this.disk.durableZxid)', 'this.disk.durableZxid']],
  },
  {
    mistake: 'committed entries are applied before they are durable here',
    changes: [
      [
        'peer-state.js',
        'minZxid(this.#commitZxid, this.disk.durableZxid)',
        'minZxid(this.#commitZxid, this.history.last)',
      ],
    ],
  },
  {
    mistake: 'a candidate is elected, and leads, although a voter has a more recent history',
    changes: [
      ['leader.js', 'report.lastZxid > this.#state.history.last', 'false'],
      ['election.js', 'claim <= this.#state.disk.durableZxid', 'true'],
      ['vote.js', 'vote.zxid !== other.zxid', 'false'],
      ['vote.js', 'vote.epoch !== other.epoch', 'false'],
    ],
  },
  {
    mistake: 'a candidate does not wait for a quorum of promises',
    changes: [['leader.js', '!this.#discovery.hasPromiseQuorum', 'false']],
  },
  {
    mistake: 'half of the voters are taken for a quorum',
    changes: [['quorum.js', 'Math.floor(this.voters.length / 2) + 1', 'Math.ceil(this.voters.length / 2)']],
  },
  {
    mistake: 'the fastest voter commits, not a quorum',
    changes: [['quorum.js', 'reached[this.#needed - 1]', 'reached[0]']],
  },
  {
    mistake: 'entries of older epochs are committed by counting copies',
    changes: [
      ['leader.js', '|| zxid < this.#marker', ''],
      ['leader.js', 'if (zxid < this.#marker)\n            return;\n        invariant', 'invariant'],
    ],
  },
  {
    mistake: 'a vote is computed while the disk is still busy',
    changes: [['election.js', '!state.disk.isIdle || ', '']],
  },
  {
    mistake: 'observers are given what is not committed',
    changes: [['learner-feed.js', 'this.#isVoter ? history.last : commitZxid', 'history.last']],
  },
  {
    mistake: 'messages of an older link are listened to',
    changes: [['outbox.js', 'return this.#links.get(peer) === link;', 'return this.#links.has(peer);']],
  },
  {
    mistake: 'an uncommitted tail is not cut',
    changes: [['learner-feed.js', "this.#mustTruncate ? 'trunc' : 'diff'", "'diff'"]],
  },
  {
    mistake: 'a follower serves before it is up to date',
    changes: [['learner.js', 'deliveredZxid < this.#serveFrom', 'false']],
  },
  {
    mistake: 'a snapshot counts as installed before it is durable',
    changes: [
      [
        'snapshot-intake.js',
        'disk.installSnapshot({',
        'this.#state.noteInstalled(zxid); disk.installSnapshot({',
      ],
    ],
  },
  {
    mistake: 'a leader forgets what it has promised itself',
    changes: [
      [
        'discovery.js',
        'this.#noteAccepted(state.id, state.disk.acceptedEpoch);',
        'this.#noteAccepted(state.id, 0);',
      ],
    ],
  },
  {
    mistake: 'whoever has forgotten its promises is counted all the same',
    changes: [['admission.js', 'standing !== undefined && remembers(standing)', 'standing !== undefined']],
  },
];

const SEEDS = 300;
const compiledRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const workshop = mkdtempSync(join(tmpdir(), 'quorate-mutants-'));
writeFileSync(join(workshop, 'package.json'), '{ "type": "module" }');

interface Simulation {
  readonly runFaulty: (seed: number) => unknown;
}

async function build(name: string, changes: Mutant['changes']): Promise<Simulation> {
  const root = join(workshop, name);
  for (const folder of ['core/zab', 'core/runtime', 'test/core/zab']) {
    mkdirSync(join(root, folder), { recursive: true });
    cpSync(join(compiledRoot, folder), join(root, folder), { recursive: true });
  }
  for (const [file, original, mistaken] of changes) {
    const path = join(root, 'core/zab', file);
    const source = readFileSync(path, 'utf8');
    assert.ok(
      source.includes(original),
      `${file} has no "${original}" any more: bring the mutant up to date`,
    );
    writeFileSync(path, source.replace(original, mistaken));
  }
  return (await import(pathToFileURL(join(root, 'test/core/zab/faults.js')).href)) as Simulation;
}

/** The first seed whose run fails; null if none does. */
function firstFailure({ runFaulty }: Simulation, seeds: number): number | null {
  for (let seed = 0; seed < seeds; seed++) {
    try {
      runFaulty(seed);
    } catch {
      return seed;
    }
  }
  return null;
}

test('the unchanged room passes where its mutants are to fail', async () => {
  assert.is(firstFailure(await build('unchanged', []), 30), null);
});

for (const [index, { mistake, changes }] of MUTANTS.entries()) {
  test(`the simulation notices if ${mistake}`, async () => {
    const mutant = await build(`mutant-${index}`, changes);
    assert.is.not(firstFailure(mutant, SEEDS), null, `no seed below ${SEEDS} fails`);
  });
}

test.after(() => rmSync(workshop, { recursive: true, force: true }));

test.run();
