import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** What listeners were told, in order, for the scenario to take when it expects it. */
final class Events {
  private final BlockingQueue<String> queue = new LinkedBlockingQueue<>();

  void add(String format, Object... values) {
    queue.add(String.format(format, values));
  }

  String next() throws InterruptedException {
    var event = queue.poll(Stage.PATIENCE_MS, TimeUnit.MILLISECONDS);
    Stage.require(event != null, "another event comes");
    return event;
  }

  List<String> next(int count) throws InterruptedException {
    var events = new ArrayList<String>();
    while (events.size() < count) events.add(next());
    return events;
  }

  /** For events of independent sources, whose order among each other is not determined. */
  List<String> nextInAnyOrder(int count) throws InterruptedException {
    var events = next(count);
    events.sort(null);
    return events;
  }

  /** What has come by now and was not taken. */
  List<String> rest() {
    var events = new ArrayList<String>();
    queue.drainTo(events);
    return events;
  }
}
