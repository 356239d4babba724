/**
 * Shards: a fixed set of them is divided over the processes that are there, and anew when one comes or goes. Each is handed over
 * in order, and never owned twice.
 *
 * Run: node dist/examples/sharded.js
 *
 * Prints:
 *   ada alone has 4 of 4 shards
 *   ada has 2 and grace has 2, none of them in common
 *   ada let go of 2 because they moved
 *   ada is gone: grace has 4
 */
import {
  Application,
  connect,
  Sharded,
  ShardMovedError,
  type ApplicationEvent,
  type OwnedShard,
} from 'quorate';

let moved = 0;

@Sharded({ name: 'feeds', shards: 4 })
class Feeds {
  /** Runs for each shard that this process owns, for as long as it does. */
  async run({ signal }: OwnedShard): Promise<void> {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    // Here what is in hand is brought to its end: the next owner begins when this returns.
    if (signal.reason instanceof ShardMovedError) moved++;
  }
}

const owned = { ada: new Set<number>(), grace: new Set<number>() };
let look = (): void => undefined;

function follow(name: keyof typeof owned): (event: ApplicationEvent) => void {
  return (event) => {
    if (event.type === 'shard-acquired') owned[name].add(event.shard);
    if (event.type === 'shard-lost') owned[name].delete(event.shard);
    look();
  };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise<void>((resolve) => (look = resolve));
}

await using ensemble = await connect('embedded:');
const common = { connect: ensemble, declare: [Feeds] };

const ada = await Application.start({ ...common, id: 'ada', hooks: { event: follow('ada') } });
await until(() => owned.ada.size === 4);
console.log(`ada alone has ${owned.ada.size} of 4 shards`);

await using grace = await Application.start({ ...common, id: 'grace', hooks: { event: follow('grace') } });
await until(() => owned.ada.size + owned.grace.size === 4 && owned.grace.size === 2);
const both = [...owned.ada].filter((shard) => owned.grace.has(shard));
console.log(
  `ada has ${owned.ada.size} and grace has ${owned.grace.size}, ${both.length === 0 ? 'none' : both.length} of them in common`,
);
console.log(`ada let go of ${moved} because they moved`);

await ada.stop();
await until(() => owned.grace.size === 4);
console.log(`ada is gone: ${grace.id} has ${owned.grace.size}`);
