import type { Actor } from '../actor.js';
import { check } from '../checkers/referee.js';

const REGISTERS = ['/r/0', '/r/1', '/r/2'];

/** Writes, compare-and-set by version, reads after a sync, and plain reads, which may be stale. */
export async function registers(actor: Actor): Promise<void> {
  let version = 0;
  while (!actor.isOver) {
    const path = actor.pick(REGISTERS);
    const kind = actor.pick(['write', 'cas', 'cas', 'read', 'stale'] as const);
    if (kind === 'write') await write(actor, path);
    else if (kind === 'cas') version = await compareAndSet(actor, path, version);
    else if (kind === 'read') version = (await read(actor, path)) ?? version;
    else {
      const stale = await actor.attempt(`getData ${path}`, () => actor.client.getData(path));
      if (stale.type === 'done') version = stale.value.stat.version;
    }
    await actor.think();
  }
}

async function write(actor: Actor, path: string): Promise<void> {
  const value = actor.value();
  const operation = actor.world.registers.begin(path, { type: 'write', value });
  const result = await actor.attempt(`setData ${path} ${value}`, () => actor.client.setData(path, value));
  if (result.type === 'done') operation.returned({ type: 'written', version: result.value.version });
  if (result.type === 'never') operation.neverHappened();
}

/** The version that the register has now, as far as known. */
async function compareAndSet(actor: Actor, path: string, version: number): Promise<number> {
  const value = actor.value();
  const operation = actor.world.registers.begin(path, { type: 'cas', version, value });
  const result = await actor.attempt(`setData ${path} ${value} if ${version}`, () =>
    actor.client.setData(path, value, { version }),
  );
  if (result.type === 'refused') operation.returned({ type: 'refused' });
  if (result.type === 'never') operation.neverHappened();
  if (result.type !== 'done') return version;
  operation.returned({ type: 'written', version: result.value.version });
  return result.value.version;
}

async function read(actor: Actor, path: string): Promise<number | null> {
  const operation = actor.world.registers.begin(path, { type: 'read' });
  const result = await actor.attempt(`sync and getData ${path}`, async () => {
    const { epoch } = actor.client.session;
    await actor.client.sync(path, { session: epoch });
    return await actor.client.getData(path, { session: epoch });
  });
  if (result.type !== 'done') {
    operation.neverHappened();
    return null;
  }
  const { data, stat } = result.value;
  actor.world.referee.watch(() => check(data !== null, () => `${path} has no data`));
  operation.returned({
    type: 'is',
    value: new TextDecoder().decode(data ?? undefined),
    version: stat.version,
  });
  return stat.version;
}

export const REGISTER_PATHS: readonly string[] = ['/r', ...REGISTERS];
