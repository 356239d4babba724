import { FileStorage, type Disk } from '../../../core/storage/index.js';

/** Makes this the directory of a member that counts in an ensemble founded before, which holds no transaction yet. */
export async function writeFoundedDirectory(disk: Disk): Promise<void> {
  const storage = await FileStorage.open({ disk });
  await storage.recover();
  await storage.persist({ acceptedEpoch: 1, rejoining: null });
  await storage.close();
}
