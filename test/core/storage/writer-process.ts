/**
 * Opens the data directory given as argument and appends until it is killed; prints how many entries were found, then,
 * after each acknowledgement, how many are durable. Takes a snapshot now and then.
 */
import { NodeDisk } from '../../../core/storage/index.js';
import { content, entries, start, zxid } from './history.js';

const disk = await NodeDisk.open(process.argv[2]!);
const { storage, found } = await start(disk, { segmentBytes: 16384, snapshotsKept: 2 });
let durable = found.entries.length + Number(found.snapshot?.content ?? 0);
console.log(`found ${durable}`);
await storage.persist({ acceptedEpoch: 1 });
for (let round = 1; ; round++) {
  const batches = Array.from({ length: 4 }, (_, index) => entries(durable + index * 5, 5, { bytes: 100 }));
  await Promise.all(batches.map((batch) => storage.persist({ entries: batch })));
  durable += 20;
  console.log(`durable ${durable}`);
  if (round % 10 === 0) await storage.writeSnapshot(zxid(durable - 1), [], content(String(durable)));
}
