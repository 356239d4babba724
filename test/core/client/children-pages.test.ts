import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  allChildren,
  BadArgumentsError,
  ReplyTooLargeError,
  UnimplementedError,
  type Client,
  type Watch,
} from '../../../core/client/index.js';
import { RecipeWorld } from '../recipes/recipe-world.js';
import { ClientWorld } from './client-world.js';

async function namesOf(client: Client, path: string, limit?: number): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after: string | undefined; ;) {
    const page = await client.getChildrenPage(path, { after, limit });
    pages.push([...page.children]);
    if (page.next === null) return pages;
    after = page.next;
  }
}

test('children come in pages of the wanted size, in order of creation', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    await client.create('/p');
    for (const name of ['c', 'a', 'd', 'b', 'e']) await client.create(`/p/${name}`);
    assert.equal(await namesOf(client, '/p', 2), [['c', 'a'], ['d', 'b'], ['e']]);
    assert.equal(await namesOf(client, '/p'), [['c', 'a', 'd', 'b', 'e']]);
    assert.equal(await namesOf(client, '/p/a'), [[]]);
    assert.is((await client.getChildrenPage('/p')).stat.numChildren, 5);
  });
});

test('pages go on where they ended though all that was listed is removed, and show what is created later', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    await client.create('/p');
    for (const name of ['c', 'a', 'd', 'b']) await client.create(`/p/${name}`);
    const { children, next } = await client.getChildrenPage('/p', { limit: 2 });
    for (const name of children) await client.delete(`/p/${name}`);
    await client.create('/p/0');
    const rest = await client.getChildrenPage('/p', { after: next! });
    assert.equal(rest.children, ['d', 'b', '0']);
  });
});

test('a watch of a page reports the next change of the children', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    await client.create('/p');
    const seen: string[] = [];
    await client.getChildrenPage('/p', { watch: ({ type }) => seen.push(type) });
    await client.create('/p/a');
    await client.exists('/');
    assert.equal(seen, ['childrenChanged']);
  });
});

test('a server that has announced no pages gives the whole list as the first one', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  await world.get(client.create('/p'));
  for (const name of ['c', 'a']) await world.get(client.create(`/p/${name}`));
  assert.equal(await world.get(namesOf(client, '/p', 1)), [['a', 'c']]);
  const failure = await world.failure(client.getChildrenPage('/p', { after: '1/c' }));
  assert.instance(failure, UnimplementedError);
  assert.match((failure as Error).message, /a member of Quorate/);
  await world.close();
});

test('all children are listed though the list is too large for one reply', async () => {
  const scene = async (world: RecipeWorld): Promise<void> => {
    const { client } = await world.join();
    await client.create('/p');
    const names = Array.from({ length: 60 }, (_, index) => `${'n'.repeat(30)}${(index * 7) % 60}`);
    for (const name of names) await client.create(`/p/${name}`);
    const failure = await client.getChildren('/p').then(
      () => null,
      (error: unknown) => error,
    );
    assert.instance(failure, ReplyTooLargeError);
    const seen: string[] = [];
    const watch: Watch = ({ type }) => seen.push(type);
    assert.equal(await allChildren(client, '/p', { watch }), names.sort());
    await client.delete(`/p/${names[0]}`);
    await client.exists('/');
    assert.equal(seen, ['childrenChanged']);
  };
  await RecipeWorld.play(scene, { maxReplyBytes: 2_000 });
});

test('a cursor or a limit that cannot be is refused before anything is sent', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  for (const options of [{ after: 'x' }, { after: '' }, { after: '1/a/b' }, { limit: 0 }, { limit: 1.5 }]) {
    const failure = await world.failure(client.getChildrenPage('/p', options));
    assert.instance(failure, BadArgumentsError);
  }
  assert.is(world.server.requests.length, 0);
  await world.close();
});

test.run();
