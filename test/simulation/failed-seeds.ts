import type { Mode } from './plan.js';

/**
 * Seeds that found something once, and what. They run every time. A change of the plans gives a seed another life, so a
 * seed here is worth less and less; what it found has a test of its own.
 */
export const FAILED_SEEDS: readonly { readonly seed: number; readonly mode: Mode; readonly found: string }[] =
  [
    {
      seed: 1047,
      mode: 'liveness',
      found: 'an observer with everything on its disk waited for the next write',
    },
    { seed: 2079, mode: 'safety', found: 'a disk that cannot be read back while starting gave a bare EIO' },
    { seed: 2186, mode: 'safety', found: 'the same' },
    {
      seed: 11_691,
      mode: 'safety',
      found:
        'a request took effect behind one of a later connection, after its session had moved away and back',
    },
    {
      seed: 12_208,
      mode: 'safety',
      found: 'a deposed leader told a client that a session was over which a later leader had opened',
    },
    {
      seed: 18_528,
      mode: 'safety',
      found:
        'a learner that its leader had given up went on serving, by what a slow line still delivered, until after its sessions were expired',
    },
    {
      seed: 21_920,
      mode: 'safety',
      found:
        'what follows a snapshot was appended though there was no room for the snapshot itself, and left a gap',
    },
    {
      seed: 36_363,
      mode: 'safety',
      found:
        'a checker that forgot what had been durable: a leader that had paused counted an acknowledgement whose disk was lost since',
    },
    {
      seed: 32_739,
      mode: 'safety',
      found: 'a fault of the simulation that wanted to flip a bit of an empty file',
    },
    {
      seed: 700_008,
      mode: 'safety',
      found: 'an unreadable directory whose repair lacked space twice passed for a new one',
    },
    {
      seed: 3_000_248,
      mode: 'safety',
      found: 'a lone voter whose reads had failed was given an empty disk too',
    },
    {
      seed: 4_000_397,
      mode: 'safety',
      found:
        'a model of one client that did not expect a write of a session given up to come behind the next session',
    },
    {
      seed: 10_001_015,
      mode: 'safety',
      found:
        'a whole snapshot that was forgotten because its link broke before it was taken, which stopped the member',
    },
    {
      seed: 11_000_316,
      mode: 'safety',
      found:
        'writes of a client that was gone were judged without the identity that it had proved before them',
    },
    {
      seed: 11_000_587,
      mode: 'safety',
      found: 'a checker that took what was on its way to an observer for the work of a new ensemble',
    },
    {
      seed: 12_000_544,
      mode: 'safety',
      found: 'a fault that forged every vote, whose number doubled without an end',
    },
    {
      seed: 12_002_383,
      mode: 'safety',
      found:
        'the size of a log file was recorded though its growth had failed to be synced: a power failure then made a sound member rejoin',
    },
    {
      seed: 12_002_752,
      mode: 'safety',
      found: 'a fault that damaged what was left of an empty disk, which was then taken for a damaged one',
    },
    {
      seed: 13_001_928,
      mode: 'safety',
      found: 'a checker that relied on a replaced leader whose clock stood still',
    },
    {
      seed: 13_003_465,
      mode: 'safety',
      found: 'an old copy of end-of-log, by which the files of a later generation passed for foreign ones',
    },
    {
      seed: 14_001_449,
      mode: 'liveness',
      found:
        'members that kept one snapshot and no log before it, so that an observer a little behind had to come again',
    },
    {
      seed: 20_002_886,
      mode: 'safety',
      found:
        'a list that was read over several turns and came behind the event of a change that it did not show',
    },
    {
      seed: 20_006_951,
      mode: 'safety',
      found: 'a child that changed twice while a list was read over several turns, and stood in it twice',
    },
    {
      seed: 21_003_724,
      mode: 'safety',
      found:
        'a child that was the next one of a list when it changed, and stood in it twice after another change',
    },
    { seed: 3_000_545, mode: 'safety', found: 'a received snapshot that a failing disk did not read back' },
  ];
