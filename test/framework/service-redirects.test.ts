import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fetchWithin } from '../../framework/service-redirects.js';

interface Seen {
  readonly host: 'own' | 'other';
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly token: string | undefined;
}

interface World {
  own: Server;
  other: Server;
  seen: Seen[];
}

const test = suite<World>('redirects of a service');

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

test.before.each(async (world) => {
  world.seen = [];
  for (const host of ['own', 'other'] as const) {
    const note = ({ method, url, headers }: IncomingMessage): void =>
      void world.seen.push({ host, method, url, token: headers.authorization });
    world[host] = createServer((request, response) => {
      note(request);
      // `/307/other/x` leads with that status to `/x` of that server.
      const [, status, where, ...rest] = (request.url ?? '').split('/');
      const base = where === 'other' ? urlOf(world.other) : '';
      if (where !== undefined) response.writeHead(Number(status), { location: `${base}/${rest.join('/')}` });
      response.end('end');
    });
    await new Promise<void>((resolve) => world[host].listen(0, '127.0.0.1', resolve));
  }
});

test.after.each(({ own, other }) => {
  for (const server of [own, other]) {
    server.closeAllConnections();
    server.close();
  }
});

const headers = { authorization: 'hunter2' };
const anywhere: (host: string) => boolean = () => true;

/** Status of the response, and what the servers saw. */
async function outcome(
  { own, seen }: World,
  path: string,
  init: RequestInit,
  mayFollow = anywhere,
): Promise<unknown> {
  const response = await fetchWithin(fetch, urlOf(own) + path, { headers, ...init }, mayFollow);
  await response.arrayBuffer();
  return [
    response.status,
    ...seen.map(({ host, method, url, token }) => `${host} ${method} ${url} ${token}`),
  ];
}

test('a redirect is the response unless it is to be followed', async (world) => {
  assert.equal(await outcome(world, '/302/other/x', {}), [302, 'own GET /302/other/x hunter2']);
});

test('a redirect to the same host is followed with headers, and a POST becomes a GET where fetch does so', async (world) => {
  assert.equal(
    await outcome(world, '/307/own/303/own/x', { redirect: 'follow', method: 'POST', body: 'b' }),
    [200, 'own POST /307/own/303/own/x hunter2', 'own POST /303/own/x hunter2', 'own GET /x hunter2'],
  );
});

test('a redirect to another host carries no header of the caller, also on the way back', async (world) => {
  assert.equal(await outcome(world, '/302/other/302/own/x', { redirect: 'follow' }), [
    200,
    'own GET /302/other/302/own/x hunter2',
    'other GET /302/own/x undefined',
    'other GET /x undefined',
  ]);
});

test('a redirect to another host is the response where it would need the body, or is not allowed', async (world) => {
  const put = { redirect: 'follow', method: 'PUT', body: 'secret' } as const;
  assert.equal(await outcome(world, '/307/other/x', put), [307, 'own PUT /307/other/x hunter2']);
  world.seen.length = 0;
  const asked: string[] = [];
  const never = (host: string): boolean => asked.push(host) < 0;
  assert.equal(await outcome(world, '/302/other/x', { redirect: 'follow' }, never), [
    302,
    'own GET /302/other/x hunter2',
  ]);
  assert.equal(asked, ['127.0.0.1']);
});

test('redirects without end are given up', async ({ own }) => {
  let calls = 0;
  const response = await fetchWithin(
    async () => {
      calls++;
      return new Response(null, { status: 302, headers: { location: '/again' } });
    },
    urlOf(own),
    { redirect: 'follow' },
    anywhere,
  );
  assert.equal([response.status, calls], [302, 21]);
});

test.run();
