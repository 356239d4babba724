import java.util.Map;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.CuratorWatcher;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.WatcherType;

/** One-time and persistent watches, and their removal. */
final class Watches {
  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("watch-once", Watches::once);
    scenarios.put("watch-persistent", Watches::persistent);
    scenarios.put("watch-recursive", Watches::recursive);
    scenarios.put("watch-removed", Watches::removed);
    scenarios.put("watch-cut", (Conformance.Alone) Watches::cut);
    scenarios.put("persistent-watcher", Watches::persistentWatcher);
    scenarios.put("watcher-remover", Watches::watcherRemover);
  }

  private static void once(Stage stage) throws Exception {
    var path = stage.root + "/node";
    var writer = stage.client();
    var client = stage.client();
    var events = new Events();
    client.checkExists().usingWatcher(tell(events, "exists")).forPath(path);
    writer.create().forPath(path, Stage.bytes("1"));
    stage.say("%s", events.next());
    client.getData().usingWatcher(tell(events, "data")).forPath(path);
    client.getChildren().usingWatcher(tell(events, "children")).forPath(path);
    writer.create().forPath(path + "/child");
    stage.say("%s", events.next());
    client.getChildren().usingWatcher(tell(events, "children")).forPath(path);
    writer.setData().forPath(path, Stage.bytes("2"));
    stage.say("%s", events.next());
    writer.setData().forPath(path, Stage.bytes("3"));
    writer.delete().forPath(path + "/child");
    stage.say("%s", events.next());
    client.checkExists().usingWatcher(tell(events, "exists")).forPath(path);
    client.getChildren().usingWatcher(tell(events, "children")).forPath(path);
    writer.delete().forPath(path);
    stage.say("%s", events.nextInAnyOrder(2));
    // The same watcher for two things at one path is told once.
    writer.create().forPath(path);
    Stage.catchUp(client);
    var both = tell(events, "both");
    client.getData().usingWatcher(both).forPath(path);
    client.getChildren().usingWatcher(both).forPath(path);
    writer.delete().forPath(path);
    stage.say("%s", events.next());
    client.sync().forPath(path);
    stage.say("more: %s", events.rest());
    stage.say("at what is not there", () -> client.getData().usingWatcher(both).forPath(path));
  }

  private static void persistent(Stage stage) throws Exception {
    var path = stage.root + "/node";
    var writer = stage.client();
    var client = stage.client();
    var events = new Events();
    client.watchers().add().withMode(AddWatchMode.PERSISTENT).usingWatcher(tell(events, "told")).forPath(path);
    change(writer, path);
    stage.say("%s", events.next(6));
    client.sync().forPath(path);
    stage.say("more: %s", events.rest());
  }

  private static void recursive(Stage stage) throws Exception {
    var path = stage.root + "/node";
    var writer = stage.client();
    var client = stage.client();
    var events = new Events();
    client.watchers().add().usingWatcher(tell(events, "told")).forPath(path);
    change(writer, path);
    stage.say("%s", events.next(7));
    client.sync().forPath(path);
    stage.say("more: %s", events.rest());
    var background = new Events();
    client
        .watchers()
        .add()
        .inBackground((framework, event) -> background.add("%s %d %s", event.getType(), event.getResultCode(), event.getPath()))
        .usingWatcher(tell(events, "told"))
        .forPath(stage.root);
    stage.say("%s", background.next());
  }

  private static void change(CuratorFramework writer, String path) throws Exception {
    writer.create().forPath(path, Stage.bytes("1"));
    writer.setData().forPath(path, Stage.bytes("2"));
    writer.create().forPath(path + "/child");
    writer.setData().forPath(path + "/child", Stage.bytes("3"));
    writer.delete().forPath(path + "/child");
    writer.delete().forPath(path);
    writer.create().forPath(path);
  }

  private static void removed(Stage stage) throws Exception {
    var path = stage.root + "/node";
    var writer = stage.client();
    var client = stage.client();
    var events = new Events();
    writer.create().forPath(path);
    Stage.catchUp(client);
    Watcher data = (event) -> events.add("data: %s", event.getType());
    Watcher children = (event) -> events.add("children: %s", event.getType());
    Watcher always = (event) -> events.add("always: %s", event.getType());
    client.getData().usingWatcher(data).forPath(path);
    client.getChildren().usingWatcher(children).forPath(path);
    client.watchers().add().withMode(AddWatchMode.PERSISTENT).usingWatcher(always).forPath(path);
    stage.say("one of the wrong type", () -> done(() -> client.watchers().remove(data).ofType(WatcherType.Children).forPath(path)));
    stage.say("one", () -> done(() -> client.watchers().remove(data).ofType(WatcherType.Data).forPath(path)));
    stage.say("%s", events.next());
    stage.say("it again", () -> done(() -> client.watchers().remove(data).forPath(path)));
    writer.setData().forPath(path, Stage.bytes("1"));
    stage.say("%s", events.next());
    stage.say("all", () -> done(() -> client.watchers().removeAll().forPath(path)));
    stage.say("%s", events.nextInAnyOrder(2));
    writer.setData().forPath(path, Stage.bytes("2"));
    client.sync().forPath(path);
    stage.say("more: %s", events.rest());
    stage.say("of a path without", () -> done(() -> client.watchers().removeAll().forPath(stage.root)));
    stage.say("of a path without, quietly", () -> done(() -> client.watchers().removeAll().quietly().forPath(stage.root)));
  }

  /** Each kind survives a broken connection. */
  private static void cut(Stage stage) throws Exception {
    var path = stage.root + "/node";
    var writer = stage.client();
    var client = stage.client();
    var events = new Events();
    writer.create().forPath(path);
    writer.create().forPath(path + "/child");
    Stage.catchUp(client);
    client.getData().usingWatcher(tell(events, "data")).forPath(path);
    client.getChildren().usingWatcher(tell(events, "children")).forPath(path);
    client.checkExists().usingWatcher(tell(events, "exists")).forPath(path + "/none");
    client.watchers().add().withMode(AddWatchMode.PERSISTENT).usingWatcher(tell(events, "persistent")).forPath(path + "/child");
    // At another path: until ZOOKEEPER-4466 a server kept one kind of watch for each path only.
    client.watchers().add().usingWatcher(tell(events, "recursive")).forPath(stage.root);
    Stage.ask("cut");
    Sessions.reconnected(client);
    Sessions.reconnected(writer);
    events.rest();
    writer.setData().forPath(path, Stage.bytes("1"));
    stage.say("%s", events.nextInAnyOrder(2));
    writer.setData().forPath(path + "/child", Stage.bytes("2"));
    stage.say("%s", events.nextInAnyOrder(2));
    writer.create().forPath(path + "/none");
    // Whatever is told, the client passes on to recursive watchers too (ZOOKEEPER-4475).
    stage.say("%s", events.nextInAnyOrder(4));
    writer.delete().forPath(path + "/child");
    stage.say("%s", events.nextInAnyOrder(2));
    client.sync().forPath(path);
    stage.say("more: %s", events.rest());
  }

  private static void persistentWatcher(Stage stage) throws Exception {
    var path = stage.root + "/node";
    var writer = stage.client();
    var client = stage.client();
    var events = new Events();
    var watcher = stage.open(new PersistentWatcher(client, path, true));
    watcher.getListenable().addListener((event) -> {
      if (event.getPath() != null) events.add("%s %s", event.getType(), event.getPath());
    });
    watcher.getResetListenable().addListener(() -> events.add("reset"));
    watcher.start();
    stage.say("%s", events.next());
    writer.create().forPath(path);
    stage.say("%s", events.next());
    stage.endSession(client);
    stage.say("%s", events.next());
    writer.create().forPath(path + "/child");
    stage.say("%s", events.next());
    watcher.close();
  }

  private static void watcherRemover(Stage stage) throws Exception {
    var path = stage.root + "/node";
    var writer = stage.client();
    var events = new Events();
    writer.create().forPath(path);
    var client = stage.client();
    var facade = client.newWatcherRemoveCuratorFramework();
    facade.getData().usingWatcher((Watcher) (event) -> events.add("%s", event.getType())).forPath(path);
    facade.removeWatchers();
    stage.say("%s", events.next());
    writer.setData().forPath(path, Stage.bytes("1"));
    client.sync().forPath(path);
    stage.say("more: %s", events.rest());
  }

  interface Act {
    void run() throws Exception;
  }

  static Object done(Act act) throws Exception {
    act.run();
    return "done";
  }

  private static CuratorWatcher tell(Events events, String name) {
    return (WatchedEvent event) -> {
      if (event.getPath() != null) events.add("%s: %s %s", name, event.getType(), event.getPath());
    };
  }
}
