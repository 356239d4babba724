/** Members as processes whose disks fail under a writing load: no room, or a sync that the disk refuses. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { canFault, DiskFaults } from './disk-fault.js';
import { EnsembleProcess, type StartOptions } from './ensemble-process.js';
import { canMount, SmallDisk } from './small-disk.js';
import { WritingLoad } from './writing-load.js';

/** Room for some extensions of the log, each 4 MiB. */
const DISK_MIB = 48;
/** So that the log has to be extended soon. */
const DATA_BYTES = 8 * 1024;

type Role = 'leader' | 'follower';
const ROLES: readonly Role[] = ['leader', 'follower'];

async function victimOf(ensemble: EnsembleProcess, role: Role): Promise<number> {
  const leader = await ensemble.serving(...ensemble.ids);
  return role === 'leader' ? leader : ensemble.ids.find((id) => id !== leader)!;
}

interface Fault {
  /** The member that is struck. */
  readonly id: number;
  readonly strike: () => void;
  readonly mend: () => void;
  readonly relaunch: () => unknown;
  /** What the member has to say. */
  readonly message: RegExp;
}

/** The member that is struck ends, the others go on; mended and started again it takes part, and nothing is lost. */
async function stepsOutAndRejoins(
  ensemble: EnsembleProcess,
  { id, strike, mend, relaunch, message }: Fault,
): Promise<void> {
  await using load = await WritingLoad.start(ensemble.url(), { dataBytes: DATA_BYTES });
  await load.goesOn(ensemble);

  strike();
  assert.equal(await ensemble.exitOf(id), { code: 1, signal: null });
  assert.match(ensemble.logOf(id), message);
  await load.goesOn(ensemble);

  // While nothing is mended it does not come back, and says why.
  const logged = ensemble.logOf(id).length;
  relaunch();
  assert.equal(await ensemble.exitOf(id), { code: 1, signal: null });
  assert.match(ensemble.logOf(id).slice(logged), message);

  mend();
  relaunch();
  await ensemble.serving(...ensemble.ids);
  await load.goesOn(ensemble);
  await load.stop();
  await ensemble.converged();
  await load.verify(ensemble.url());
}

/** A disk without room: a real one where file systems may be mounted, as containers often forbid. */
interface FullDisks extends Disposable {
  /** Before the member is launched. */
  prepare(id: number, directory: string): StartOptions;
  fill(id: number): void;
  empty(id: number): void;
}

function smallDisks(): FullDisks {
  const disks = new Map<number, SmallDisk>();
  return {
    prepare(id, directory) {
      if (!disks.has(id)) disks.set(id, new SmallDisk(directory, DISK_MIB));
      return {};
    },
    fill: (id) => disks.get(id)!.fill(),
    empty: (id) => disks.get(id)!.empty(),
    [Symbol.dispose]: () => disks.forEach((disk) => disk[Symbol.dispose]()),
  };
}

function pretendedFullDisks(): FullDisks {
  const faults = new DiskFaults();
  return {
    prepare: (id) => ({ environment: faults.environment(id) }),
    fill: (id) => faults.refuseWrites(id),
    empty: (id) => faults.mend(id),
    [Symbol.dispose]: () => faults[Symbol.dispose](),
  };
}

/** What this machine cannot do is skipped, and said. */
function testIf(condition: boolean, otherwise: string, title: string, run: () => Promise<void>): void {
  if (condition) return test(title, run);
  console.log(`# skipped, because ${otherwise}: ${title}`);
  test.skip(title, run);
}

const isMountable = canMount();
const isFaultable = canFault();

for (const role of ROLES) {
  testIf(
    isMountable || isFaultable,
    'this process may not mount a file system, and there is no C compiler',
    `a ${role} whose disk is full steps out and says so, and rejoins when there is room`,
    async () => {
      await using ensemble = await EnsembleProcess.prepare();
      using disks = isMountable ? smallDisks() : pretendedFullDisks();
      const launch = (id: number): unknown => ensemble.launch(id, disks.prepare(id, ensemble.dataOf(id)));
      ensemble.ids.forEach(launch);
      const id = await victimOf(ensemble, role);

      await stepsOutAndRejoins(ensemble, {
        id,
        strike: () => disks.fill(id),
        mend: () => disks.empty(id),
        message: /no space left on the device/,
        relaunch: () => launch(id),
      });
    },
  );

  testIf(
    isFaultable,
    'it takes Linux and a C compiler',
    `a ${role} whose disk refuses a sync steps out and says so, and recovers when started again`,
    async () => {
      await using ensemble = await EnsembleProcess.prepare();
      using faults = new DiskFaults();
      const launch = (id: number): unknown => ensemble.launch(id, { environment: faults.environment(id) });
      ensemble.ids.forEach(launch);
      const id = await victimOf(ensemble, role);

      await stepsOutAndRejoins(ensemble, {
        id,
        strike: () => faults.failSyncs(id),
        mend: () => faults.mend(id),
        message: /EIO: i\/o error, (?:write|f(?:data)?sync)/,
        relaunch: () => launch(id),
      });
    },
  );
}

test.run();
