import { createHash } from 'node:crypto';
import type { Watch } from '../../../core/client/index.js';
import type { Actor } from '../actor.js';

const MOST_AT_ONCE = 25;
/** A connection takes only so many identities. */
const MOST_USERS = 15;
const LARGE = 'x'.repeat(2_000);

/**
 * Mixed requests of all kinds in one packet train: reads with and without watches, some with large replies, behind and before
 * writes, syncs and auth packets. The conversation checker compares every reply with its place.
 */
export async function bursts(actor: Actor): Promise<void> {
  const { client } = actor;
  const own = `/bursts/${actor.name}`;
  const seen: Watch = () => undefined;
  let users = 0;
  while (!actor.isOver) {
    const kinds = [
      () => actor.attempt(`setData ${own}`, () => client.setData(own, actor.value() + LARGE)),
      () => actor.attempt(`setData ${own}`, () => client.setData(own, actor.value())),
      () => actor.attempt(`create ${own}`, () => client.create(own, actor.value())),
      () => actor.attempt(`delete ${own}`, () => client.delete(own)),
      () => actor.attempt(`getData ${own}`, () => client.getData(own)),
      () => actor.attempt(`getData ${own} with a watch`, () => client.getData(own, { watch: seen })),
      () => actor.attempt(`exists ${own} with a watch`, () => client.exists(own, { watch: seen })),
      () => actor.attempt('getChildren /bursts', () => client.getChildren('/bursts')),
      () => actor.attempt('getEphemerals', () => client.getEphemerals('/bursts')),
      () => actor.attempt('sync /bursts', () => client.sync('/bursts')),
      () => actor.attempt('whoAmI', () => client.whoAmI()),
    ];
    const length = 3 + Math.floor(actor.random.next() * MOST_AT_ONCE);
    const requests: Promise<unknown>[] = Array.from({ length }, () => actor.pick(kinds)());
    if (actor.chance(0.2) && users < MOST_USERS) requests.push(becomeUser(actor, (users += 1)));
    await Promise.all(requests);
    await actor.think();
  }
}

/** Reads a znode before and behind the auth packet that it needs. */
async function becomeUser(actor: Actor, number: number): Promise<unknown> {
  const { client } = actor;
  const user = `${actor.name}-u${number}`;
  const path = `/bursts/of-${user}`;
  const id = { scheme: 'digest', id: digestOf(user) };
  const data = actor.value();
  const read = (): Promise<unknown> => actor.attempt(`getData ${path}`, () => client.getData(path));
  return Promise.all([
    actor.attempt(`create ${path}`, () => client.create(path, data, { acl: [{ perms: 1, id }] })),
    read(),
    actor.attempt(`addAuth ${user}`, () => client.addAuth('digest', `${user}:pw`)),
    read(),
  ]);
}

/** The id in an ACL of who authenticates with `user:pw`. */
function digestOf(user: string): string {
  return `${user}:${createHash('sha1').update(`${user}:pw`).digest('base64')}`;
}

export const BURST_PATHS: readonly string[] = ['/bursts'];
