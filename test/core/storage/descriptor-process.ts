/** Takes every descriptor that this process may have, and asks the storage in `argv[2]` for a snapshot; run with a low limit. */
import { closeSync, openSync } from 'node:fs';
import { NodeDisk } from '../../../core/storage/index.js';
import { content, entries, start, zxid } from './history.js';

const { storage } = await start(await NodeDisk.open(process.argv[2]!), { snapshotsKept: 1 });
await storage.persist({ acceptedEpoch: 1, entries: entries(0, 60, { bytes: 100 }) });
await storage.persist({ entries: entries(60, 60, { bytes: 100 }) });
const outcome = (snapshot: Promise<void>): Promise<string> =>
  snapshot.then(
    () => 'taken',
    (error: unknown) => (error as { code: string }).code,
  );

const taken: number[] = [];
try {
  for (;;) taken.push(openSync('/dev/null', 'r'));
} catch {
  // None is left.
}
const first = await outcome(storage.writeSnapshot(zxid(100), [], content('tree')));
// One is free for the file of the snapshot, and none for anything else.
closeSync(taken.pop()!);
const second = await outcome(storage.writeSnapshot(zxid(100), [], content('tree')));
for (const descriptor of taken) closeSync(descriptor);
await storage.persist({ entries: entries(120, 5) });
await storage.close();
process.stdout.write(`${first} ${second}\n`);
