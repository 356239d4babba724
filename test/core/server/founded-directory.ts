import { encodeTxn } from '../../../core/data/index.js';
import { OpCode } from '../../../core/protocol/index.js';
import { FileStorage, type Disk } from '../../../core/storage/index.js';

/** Makes this the directory of a member that counts in an ensemble founded before, which holds no transaction yet. */
export async function writeFoundedDirectory(disk: Disk): Promise<void> {
  const storage = await FileStorage.open({ disk });
  await storage.recover();
  await storage.persist({ acceptedEpoch: 1, rejoining: null });
  await storage.close();
}

/** The session that a directory of `writeOldDirectory` holds. */
export const OLD_SESSION = 0x01_000001_00000001n;

/** Makes this the directory of a member whose ensemble has a session and no id, as versions made it that had none. */
export async function writeOldDirectory(disk: Disk): Promise<void> {
  await writeFoundedDirectory(disk);
  const storage = await FileStorage.open({ disk });
  await storage.recover();
  const payload = encodeTxn({
    sessionId: OLD_SESSION,
    cxid: 0,
    time: 1,
    op: OpCode.createSession,
    outcome: { type: 'createSession', timeoutMs: 40_000 },
  });
  const marker = { zxid: 0x1_0000_0000n, payload: new Uint8Array(0) };
  await storage.persist({ entries: [marker, { zxid: 0x1_0000_0001n, payload }] });
  await storage.close();
}
