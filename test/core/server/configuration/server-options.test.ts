import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ConfigurationError,
  resolveServerOptions,
  type ServerOptions,
} from '../../../../core/server/index.js';

test('the defaults hold together, and the session range follows the tick', () => {
  const options = resolveServerOptions();
  assert.equal(
    [options.id, options.tickMs, options.minSessionMs, options.maxSessionMs],
    [1, 500, 1_000, 40_000],
  );
  const slow = resolveServerOptions({ tickMs: 3_000 });
  assert.equal([slow.minSessionMs, slow.maxSessionMs], [6_000, 60_000]);
});

test('what cannot be is refused with the name of the option and what would do', () => {
  const wrong: readonly [Partial<ServerOptions>, string, RegExp][] = [
    [{ id: 0 }, 'id', /from 1 to 254/],
    [{ id: 255 }, 'id', /from 1 to 254/],
    [{ tickMs: 1.5 }, 'tickMs', /whole number/],
    [{ tickMs: Number.NaN }, 'tickMs', /NaN/],
    [{ minSessionMs: 10 }, 'minSessionMs', /from 500/],
    [{ minSessionMs: 5_000, maxSessionMs: 4_000 }, 'maxSessionMs', /from 5000/],
    [{ superDigest: 'super:admin' }, 'superDigest', /base64/],
    [{ superUser: 'root' }, 'superUser', /sasl:user/],
    [{ maxPacketBytes: 1 }, 'maxPacketBytes', /from 1024/],
    [{ maxConnections: -1 }, 'maxConnections', /from 1/],
  ];
  for (const [options, name, remedy] of wrong) {
    try {
      resolveServerOptions(options);
      assert.unreachable(`${name} was accepted`);
    } catch (error) {
      assert.instance(error, ConfigurationError);
      assert.is((error as ConfigurationError).option, name);
      assert.match((error as ConfigurationError).message, remedy);
    }
  }
});

test.run();
