import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Curator, scenario by scenario: {@code Conformance CONNECT [scenario…]}. Prints what was observed; see Stage for what
 * must not be in it.
 */
public final class Conformance {
  interface Scenario {
    void play(Stage stage) throws Exception;
  }

  /** Asks for faults: nothing else runs beside it. */
  interface Alone extends Scenario {}

  /** Scenarios at once. Most of them wait for somebody most of the time. */
  private static final int AT_ONCE = 8;

  private static final Map<String, Scenario> SCENARIOS = new LinkedHashMap<>();

  static {
    Leaders.register(SCENARIOS);
    Locks.register(SCENARIOS);
    Semaphores.register(SCENARIOS);
    Barriers.register(SCENARIOS);
    Caches.register(SCENARIOS);
    Counters.register(SCENARIOS);
    Nodes.register(SCENARIOS);
    Discovery.register(SCENARIOS);
    Queues.register(SCENARIOS);
    Transactions.register(SCENARIOS);
    Watches.register(SCENARIOS);
    Creates.register(SCENARIOS);
    Framework.register(SCENARIOS);
    Sessions.register(SCENARIOS);
  }

  public static void main(String[] arguments) throws Exception {
    var connect = arguments[0];
    var named = List.of(arguments).subList(1, arguments.length);
    var names = named.isEmpty() ? List.copyOf(SCENARIOS.keySet()) : named;
    var pool = Executors.newFixedThreadPool(AT_ONCE);
    var playing = new ArrayList<Future<Boolean>>();
    for (var name : names) if (!isAlone(name)) playing.add(pool.submit(() -> play(connect, name)));
    var isClean = true;
    for (var each : playing) isClean &= each.get();
    for (var name : names) if (isAlone(name)) isClean &= play(connect, name);
    // Threads that a recipe left behind must not keep the process.
    Runtime.getRuntime().halt(isClean ? 0 : 1);
  }

  private static boolean isAlone(String name) {
    return SCENARIOS.get(name) instanceof Alone;
  }

  private static boolean play(String connect, String name) {
    var begin = System.nanoTime();
    var transcript = new Transcript(name);
    try (var stage = new Stage(connect, name, transcript)) {
      SCENARIOS.getOrDefault(name, Conformance::unknown).play(stage);
    } catch (Throwable error) {
      transcript.fault(error.toString());
      error.printStackTrace();
    }
    System.err.printf("%s took %d ms%n", name, (System.nanoTime() - begin) / 1_000_000);
    return transcript.print();
  }

  private static void unknown(Stage stage) {
    throw new IllegalArgumentException("there is no scenario of this name");
  }
}
