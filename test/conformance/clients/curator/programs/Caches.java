import static org.apache.curator.framework.recipes.cache.CuratorCache.Options.DO_NOT_CLEAR_ON_CLOSE;
import static org.apache.curator.framework.recipes.cache.CuratorCache.Options.SINGLE_NODE_CACHE;

import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache.StartMode;
import org.apache.curator.framework.recipes.cache.TreeCache;

/** CuratorCache, and the three that came before it. */
@SuppressWarnings("deprecation")
final class Caches {
  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("curator-cache", Caches::curatorCache);
    scenarios.put("curator-cache-single", Caches::singleNode);
    scenarios.put("curator-cache-cut", (Conformance.Alone) Caches::curatorCacheCut);
    scenarios.put("node-cache", Caches::nodeCache);
    scenarios.put("path-children-cache", Caches::pathChildrenCache);
    scenarios.put("tree-cache", Caches::treeCache);
  }

  private static void curatorCache(Stage stage) throws Exception {
    var writer = stage.client();
    var path = stage.root + "/tree";
    writer.create().forPath(path, Stage.bytes("0"));
    writer.create().creatingParentsIfNeeded().forPath(path + "/a/b", Stage.bytes("1"));
    var events = new Events();
    var cache = stage.open(CuratorCache.build(stage.client(), path));
    listen(cache, events);
    cache.start();
    stage.say("first reading: %s", events.nextInAnyOrder(4));

    writer.setData().forPath(path + "/a", Stage.bytes("2"));
    stage.say("%s", events.next());
    writer.create().forPath(path + "/c", Stage.bytes("3"));
    stage.say("%s", events.next());
    writer.create().forPath(path + "/c/d", Stage.bytes("4"));
    stage.say("%s", events.next());
    writer.delete().forPath(path + "/a/b");
    stage.say("%s", events.next());
    writer.create().forPath(path + "x", Stage.bytes("is not below"));
    writer.delete().deletingChildrenIfNeeded().forPath(path + "/c");
    stage.say("%s", events.next(2));
    writer.setData().forPath(path, Stage.bytes("5"));
    stage.say("%s", events.next());
    stage.say("size %d: %s", cache.size(), content(cache.stream()));
    stage.say("one of it: %s", cache.get(path + "/a").map(Caches::show).orElse("none"));
    stage.say("what is not there: %s", cache.get(path + "/c").map(Caches::show).orElse("none"));
    writer.delete().deletingChildrenIfNeeded().forPath(path);
    stage.say("%s", events.next(2));
    writer.create().forPath(path, Stage.bytes("6"));
    stage.say("%s", events.next());
    cache.close();
    stage.say("after the close: %d, %s", cache.size(), events.rest());
  }

  private static void singleNode(Stage stage) throws Exception {
    var writer = stage.client();
    var path = stage.root + "/node";
    var events = new Events();
    var cache = stage.open(CuratorCache.build(stage.client(), path, SINGLE_NODE_CACHE, DO_NOT_CLEAR_ON_CLOSE));
    listen(cache, events);
    cache.start();
    stage.say("%s", events.next());
    writer.create().forPath(path, Stage.bytes("1"));
    stage.say("%s", events.next());
    writer.create().forPath(path + "/child");
    writer.setData().forPath(path, Stage.bytes("2"));
    stage.say("%s", events.next());
    writer.delete().forPath(path + "/child");
    writer.delete().forPath(path);
    stage.say("%s", events.next());
    writer.create().forPath(path, Stage.bytes("3"));
    stage.say("%s", events.next());
    cache.close();
    stage.say("after the close: %s", content(cache.stream()));
  }

  /** Watches survive a broken connection, and what changed meanwhile is told. */
  private static void curatorCacheCut(Stage stage) throws Exception {
    var writer = stage.client();
    var path = stage.root + "/tree";
    for (var child : new String[] {"a", "b"}) {
      writer.create().creatingParentsIfNeeded().forPath(path + "/" + child, Stage.bytes("0"));
    }
    var events = new Events();
    var cache = stage.open(CuratorCache.build(stage.client(), path));
    listen(cache, events);
    cache.start();
    stage.say("%s", events.nextInAnyOrder(4));
    for (var round = 1; round <= 2; round++) {
      var value = Stage.bytes("" + round);
      Stage.ask("cut");
      Stage.until("it is written", () -> isSet(writer, path + "/a", value));
      stage.say("%s", events.next());
    }
    stage.say("%s", content(cache.stream()));
  }

  private static boolean isSet(CuratorFramework client, String path, byte[] data) {
    try {
      client.setData().forPath(path, data);
      return true;
    } catch (Exception connectionLoss) {
      return false;
    }
  }

  private static void nodeCache(Stage stage) throws Exception {
    var writer = stage.client();
    var path = stage.root + "/node";
    var events = new Events();
    var cache = stage.open(new NodeCache(stage.client(), path));
    cache.getListenable().addListener(() -> events.add("%s", show(cache.getCurrentData())));
    cache.start(true);
    stage.say("first reading: %s", show(cache.getCurrentData()));
    writer.create().forPath(path, Stage.bytes("1"));
    stage.say("%s", events.next());
    writer.setData().forPath(path, Stage.bytes("2"));
    stage.say("%s", events.next());
    writer.delete().forPath(path);
    stage.say("%s", events.next());
    writer.create().creatingParentsIfNeeded().forPath(path, Stage.bytes("3"));
    stage.say("%s", events.next());
    cache.rebuild();
    stage.say("rebuilt: %s", show(cache.getCurrentData()));
  }

  private static void pathChildrenCache(Stage stage) throws Exception {
    var writer = stage.client();
    var path = stage.root + "/parent";
    writer.create().creatingParentsIfNeeded().forPath(path + "/a", Stage.bytes("1"));
    var events = new Events();
    var cache = stage.open(new PathChildrenCache(stage.client(), path, true));
    cache
        .getListenable()
        .addListener((client, event) -> events.add("%s %s", event.getType(), show(event.getData())));
    cache.start(StartMode.POST_INITIALIZED_EVENT);
    stage.say("%s", events.nextInAnyOrder(2));
    writer.create().forPath(path + "/b", Stage.bytes("2"));
    stage.say("%s", events.next());
    writer.setData().forPath(path + "/a", Stage.bytes("3"));
    stage.say("%s", events.next());
    writer.create().forPath(path + "/a/deep", Stage.bytes("is not seen"));
    writer.delete().forPath(path + "/b");
    stage.say("%s", events.next());
    stage.say("%s", cache.getCurrentData().stream().map(Caches::show).collect(Collectors.toList()));
    cache.rebuildNode(path + "/a");
    stage.say("rebuilt: %s", show(cache.getCurrentData(path + "/a")));

    var atOnce = stage.open(new PathChildrenCache(stage.client(), path, false));
    atOnce.start(StartMode.BUILD_INITIAL_CACHE);
    stage.say("without data: %s", atOnce.getCurrentData().stream().map(Caches::show).collect(Collectors.toList()));
  }

  private static void treeCache(Stage stage) throws Exception {
    var writer = stage.client();
    var path = stage.root + "/tree";
    writer.create().creatingParentsIfNeeded().forPath(path + "/a/b/c", Stage.bytes("1"));
    var events = new Events();
    var cache = stage.open(TreeCache.newBuilder(stage.client(), path).setMaxDepth(2).setCacheData(true).build());
    cache.getListenable().addListener((client, event) -> events.add("%s %s", event.getType(), show(event.getData())));
    cache.start();
    stage.say("%s", events.next(4));
    writer.create().forPath(path + "/d", Stage.bytes("2"));
    stage.say("%s", events.next());
    writer.setData().forPath(path + "/a/b", Stage.bytes("3"));
    stage.say("%s", events.next());
    writer.setData().forPath(path + "/a/b/c", Stage.bytes("is too deep"));
    writer.delete().deletingChildrenIfNeeded().forPath(path + "/a");
    stage.say("%s", events.nextInAnyOrder(2));
    stage.say("children: %s", new TreeMap<>(cache.getCurrentChildren(path)).keySet());
    stage.say("one: %s, none: %s", show(cache.getCurrentData(path + "/d")), cache.getCurrentData(path + "/a"));
  }

  private static void listen(CuratorCache cache, Events events) {
    cache
        .listenable()
        .addListener(
            CuratorCacheListener.builder()
                .forCreates((node) -> events.add("created %s", show(node)))
                .forChanges((before, after) -> events.add("changed %s from %s", show(after), show(before)))
                .forDeletes((node) -> events.add("deleted %s", show(node)))
                .forInitialized(() -> events.add("initialized"))
                .build());
  }

  private static String content(java.util.stream.Stream<ChildData> nodes) {
    return nodes.map(Caches::show).sorted().collect(Collectors.joining(", "));
  }

  private static String show(ChildData node) {
    if (node == null) return "none";
    var data = node.getData() == null ? "no data" : Stage.shown(node.getData());
    return node.getPath() + " " + data + " v" + node.getStat().getVersion();
  }
}
