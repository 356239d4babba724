import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.leader.Participant;

/** Elections: LeaderLatch and LeaderSelector. */
final class Leaders {
  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("leader-latch", Leaders::latch);
    scenarios.put("leader-latch-lost", Leaders::latchLost);
    scenarios.put("leader-latch-cut", (Conformance.Alone) Leaders::latchCut);
    scenarios.put("leader-selector", Leaders::selector);
    scenarios.put("leader-selector-interrupted", Leaders::selectorInterrupted);
  }

  private static void latch(Stage stage) throws Exception {
    var events = new Events();
    var latches = new ArrayList<LeaderLatch>();
    var clients = new ArrayList<CuratorFramework>();
    for (var id : List.of("a", "b", "c")) {
      var client = stage.client();
      clients.add(client);
      latches.add(start(client, stage.root + "/latch", id, events));
      var count = latches.size();
      Stage.until(id + " takes part", () -> latches.get(0).getParticipants().size() == count);
    }
    stage.say("told: %s", events.next());
    stage.say("participants: %s", participants(latches.get(2)));
    var names = Stage.bySequence(clients.get(0).getChildren().forPath(stage.root + "/latch"));
    stage.say("znodes: %s", names);
    for (var name : names) {
      stage.say("data", () -> clients.get(0).getData().forPath(stage.root + "/latch/" + name));
    }
    stage.say("a leads: %s, b leads: %s", latches.get(0).hasLeadership(), latches.get(1).hasLeadership());
    stage.say(
        "b waits in vain: %s", latches.get(1).await(100, java.util.concurrent.TimeUnit.MILLISECONDS));

    latches.get(0).close(LeaderLatch.CloseMode.NOTIFY_LEADER);
    stage.say("told: %s", events.nextInAnyOrder(2));
    Stage.catchUp(clients.get(2));
    stage.say("leader: %s", latches.get(2).getLeader());
    stage.say("states: %s, %s", latches.get(0).getState(), latches.get(1).getState());

    clients.get(1).close();
    stage.say("told: %s", events.next());
    latches.get(2).await();
    stage.say("participants: %s", participants(latches.get(2)));
    latches.get(2).close();
    stage.say("nobody: %s", latches.get(2).getLeader());
    stage.say("closed twice", () -> close(latches.get(2)));
  }

  /** The session of the leader ends: it is told so, another leads, and it stands again at the end of the line. */
  private static void latchLost(Stage stage) throws Exception {
    var events = new Events();
    var first = stage.client();
    var a = start(first, stage.root + "/latch", "a", events);
    a.await();
    var b = start(stage.client(), stage.root + "/latch", "b", events);
    Stage.until("b takes part", () -> a.getParticipants().size() == 2);
    stage.say("told: %s", events.next());

    stage.endSession(first);

    stage.say("told: %s", events.nextInAnyOrder(2));
    Stage.until("a stands again", () -> b.getParticipants().size() == 2 && a.getOurPath() != null);
    stage.say("participants: %s", participants(b));
    a.close();
    b.close();
  }

  /** Connections break and come back: Curator's leader gives up meanwhile, and its znode lives. */
  private static void latchCut(Stage stage) throws Exception {
    var events = new Events();
    var a = start(stage.client(), stage.root + "/latch", "a", events);
    a.await();
    stage.say("told: %s", events.next());
    var path = a.getOurPath();

    Stage.ask("cut");

    stage.say("told: %s", events.next(2));
    stage.say("leads again: %s, with a new znode: %s", a.hasLeadership(), !path.equals(a.getOurPath()));
    a.close();
  }

  /** Each leads twice; nobody while another does. */
  private static void selector(Stage stage) throws Exception {
    var events = new Events();
    var leading = new AtomicInteger();
    var first = stage.client();
    var selectors = new ArrayList<LeaderSelector>();
    var gate = new Semaphore(0);
    for (var id : List.of("a", "b", "c")) {
      var listener =
          new LeaderSelectorListenerAdapter() {
            @Override
            public void takeLeadership(CuratorFramework client) throws Exception {
              events.add("%s leads, beside %d others", id, leading.getAndIncrement());
              gate.acquire();
              leading.decrementAndGet();
            }
          };
      var selector = stage.open(new LeaderSelector(selectors.isEmpty() ? first : stage.client(), stage.root + "/leader", listener));
      selector.setId(id);
      selector.autoRequeue();
      selector.start();
      selectors.add(selector);
      var count = selectors.size();
      Stage.until(id + " takes part", () -> selectors.get(0).getParticipants().size() == count);
    }
    for (var turn = 0; turn < 6; turn++) {
      stage.say("%s", events.next());
      Stage.catchUp(first);
      Stage.until("all take part", () -> selectors.get(0).getParticipants().size() == 3);
      if (turn == 0) stage.say("participants: %s", show(selectors.get(0).getParticipants()));
      if (turn == 1) stage.say("leader: %s", selectors.get(0).getLeader());
      gate.release();
    }
    stage.say("%s", events.next());
    for (var selector : selectors) selector.close();
  }

  private static void selectorInterrupted(Stage stage) throws Exception {
    var events = new Events();
    var forever = new CountDownLatch(1);
    var selectors = new ArrayList<LeaderSelector>();
    var clients = new ArrayList<CuratorFramework>();
    for (var id : List.of("a", "b")) {
      var listener =
          new LeaderSelectorListenerAdapter() {
            @Override
            public void takeLeadership(CuratorFramework client) throws Exception {
              events.add("%s leads", id);
              try {
                forever.await();
              } catch (InterruptedException error) {
                events.add("%s is interrupted", id);
                throw error;
              }
            }
          };
      clients.add(stage.client());
      var selector = stage.open(new LeaderSelector(clients.get(selectors.size()), stage.root + "/leader", listener));
      selector.setId(id);
      selector.start();
      selectors.add(selector);
      var count = selectors.size();
      Stage.until(id + " takes part", () -> selectors.get(0).getParticipants().size() == count);
    }
    stage.say("%s", events.next());
    selectors.get(0).interruptLeadership();
    stage.say("%s", events.next(2));
    Stage.until("a has left", () -> selectors.get(1).getParticipants().size() == 1);
    Stage.until("a may queue again", () -> selectors.get(0).requeue());
    Stage.until("a is back", () -> selectors.get(1).getParticipants().size() == 2);
    // The session of the leader ends: the adapter cancels the leadership.
    stage.endSession(clients.get(1));
    stage.say("%s", events.nextInAnyOrder(2));
    Stage.until("b has gone", () -> selectors.get(0).getParticipants().size() == 1);
    stage.say("participants: %s", show(selectors.get(0).getParticipants()));
  }

  private static LeaderLatch start(CuratorFramework client, String path, String id, Events events)
      throws Exception {
    var latch = new LeaderLatch(client, path, id);
    latch.addListener(
        new LeaderLatchListener() {
          @Override
          public void isLeader() {
            events.add("%s leads", id);
          }

          @Override
          public void notLeader() {
            events.add("%s leads no more", id);
          }
        });
    latch.start();
    return latch;
  }

  private static Object close(LeaderLatch latch) throws Exception {
    latch.close();
    return "done";
  }

  private static List<String> participants(LeaderLatch latch) throws Exception {
    return show(latch.getParticipants());
  }

  private static List<String> show(java.util.Collection<Participant> participants) {
    return participants.stream()
        .map((each) -> each.getId() + (each.isLeader() ? " leads" : ""))
        .collect(Collectors.toList());
  }
}
