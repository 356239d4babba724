import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.x.discovery.DownInstancePolicy;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceType;
import org.apache.curator.x.discovery.UriSpec;
import org.apache.curator.x.discovery.details.JsonInstanceSerializer;
import org.apache.curator.x.discovery.details.ServiceCacheListener;
import org.apache.curator.x.discovery.strategies.RandomStrategy;
import org.apache.curator.x.discovery.strategies.RoundRobinStrategy;
import org.apache.curator.x.discovery.strategies.StickyStrategy;

/** Service discovery: registration, queries, providers, caches. */
@SuppressWarnings("rawtypes")
final class Discovery {
  static void register(Map<String, Conformance.Scenario> scenarios) {
    scenarios.put("discovery", Discovery::registration);
    scenarios.put("discovery-types", Discovery::types);
    scenarios.put("discovery-providers", Discovery::providers);
    scenarios.put("discovery-cache", Discovery::cache);
    scenarios.put("discovery-lost", Discovery::lost);
  }

  private static void registration(Stage stage) throws Exception {
    var client = stage.client();
    var discovery = start(stage, client);
    var instance =
        ServiceInstance.<Map>builder()
            .name("billing")
            .id("one")
            .address("billing.example")
            .port(80)
            .sslPort(443)
            .uriSpec(new UriSpec("{scheme}://{address}:{port}"))
            .payload(new TreeMap<>(Map.of("zone", "a", "weight", 3)))
            .registrationTimeUTC(1_700_000_000_000L)
            .build();
    stage.say("names: %s", discovery.queryForNames());
    discovery.registerService(instance);
    stage.say("names: %s", discovery.queryForNames());
    stage.say("record", () -> client.getData().forPath(stage.root + "/billing/one"));
    stage.say("stat", () -> client.checkExists().forPath(stage.root + "/billing/one"));
    stage.say("parent", () -> client.checkExists().forPath(stage.root + "/billing"));

    var other = stage.client();
    var reader = start(stage, other);
    stage.say("found: %s", show(reader.queryForInstances("billing")));
    stage.say("by id: %s", reader.queryForInstance("billing", "one").getPayload());
    stage.say("uri: %s", reader.queryForInstance("billing", "one").buildUriSpec());
    stage.say("another id: %s", reader.queryForInstance("billing", "two"));
    stage.say("another name: %s", reader.queryForInstances("nobody"));
    var updated =
        ServiceInstance.<Map>builder()
            .name("billing")
            .id("one")
            .address("moved.example")
            .registrationTimeUTC(1_700_000_000_000L)
            .build();
    discovery.updateService(updated);
    Stage.catchUp(other);
    stage.say("updated: %s", show(reader.queryForInstances("billing")));
    // Somebody who registers the same id takes it over.
    reader.registerService(instance);
    Stage.catchUp(client);
    stage.say("taken over: %s", show(discovery.queryForInstances("billing")));
    reader.unregisterService(instance);
    stage.say("unregistered: %s", reader.queryForInstances("billing"));
    stage.say("names: %s", discovery.queryForNames());
  }

  private static void types(Stage stage) throws Exception {
    var client = stage.client();
    var discovery = start(stage, client);
    for (var type : ServiceType.values()) {
      var instance =
          ServiceInstance.<Map>builder().name("typed").id(type.name()).address("x").serviceType(type).build();
      discovery.registerService(instance);
      var path =
          stage.root
              + "/typed/"
              + Stage.children(client, stage.root + "/typed").stream()
                  .filter((name) -> name.equals(type.name()) || name.matches(type.name() + "\\d{10}"))
                  .findFirst()
                  .orElseThrow();
      stage.say(path, () -> client.checkExists().forPath(path).getEphemeralOwner() == 0 ? "stays" : "goes with its session");
    }
    discovery.close();
    stage.say("left when closed: %s", Stage.children(client, stage.root + "/typed"));
  }

  private static void providers(Stage stage) throws Exception {
    var discovery = start(stage, stage.client());
    for (var id : List.of("a", "b", "c")) discovery.registerService(plain("billing", id, 1));

    var roundRobin =
        stage.open(
            discovery.serviceProviderBuilder().serviceName("billing").providerStrategy(new RoundRobinStrategy<>()).build());
    roundRobin.start();
    Stage.until("all are known", () -> roundRobin.getAllInstances().size() == 3);
    var turns = new ArrayList<String>();
    for (var turn = 0; turn < 6; turn++) turns.add(roundRobin.getInstance().getId());
    stage.say("in turn: %s, again: %s", new TreeSet<>(turns.subList(0, 3)), turns.subList(0, 3).equals(turns.subList(3, 6)));

    var sticky =
        stage.open(
            discovery
                .serviceProviderBuilder()
                .serviceName("billing")
                .providerStrategy(new StickyStrategy<>(new RandomStrategy<>()))
                .build());
    sticky.start();
    Stage.until("all are known", () -> sticky.getAllInstances().size() == 3);
    var first = sticky.getInstance().getId();
    stage.say("sticks: %s", first.equals(sticky.getInstance().getId()));
    discovery.unregisterService(plain("billing", first, 1));
    Stage.until("it is gone", () -> sticky.getAllInstances().size() == 2);
    stage.say("sticks to what is gone: %s", first.equals(sticky.getInstance().getId()));

    var filtered =
        stage.open(
            discovery
                .serviceProviderBuilder()
                .serviceName("billing")
                .additionalFilter((instance) -> instance.getPort() == 2)
                .downInstancePolicy(new DownInstancePolicy(1, TimeUnit.HOURS, 1))
                .build());
    filtered.start();
    stage.say("through the filter: %s", filtered.getInstance());
    discovery.registerService(plain("billing", "d", 2));
    Stage.until("d passes", () -> filtered.getInstance() != null);
    var instance = filtered.getInstance();
    stage.say("through the filter: %s", instance.getId());
    filtered.noteError(instance);
    stage.say("when it is down: %s", filtered.getInstance());
  }

  private static void cache(Stage stage) throws Exception {
    var events = new Events();
    var discovery = start(stage, stage.client());
    var reader = start(stage, stage.client());
    var cache = stage.open(reader.serviceCacheBuilder().name("billing").build());
    cache.addListener(
        new ServiceCacheListener() {
          @Override
          public void cacheChanged() {
            events.add("%s", show(cache.getInstances()));
          }

          @Override
          public void stateChanged(CuratorFramework client, ConnectionState state) {
            events.add("%s", state);
          }
        });
    cache.start();
    stage.say("at first: %s", cache.getInstances());
    discovery.registerService(plain("billing", "a", 1));
    stage.say("%s", events.next());
    discovery.registerService(plain("billing", "b", 1));
    stage.say("%s", events.next());
    discovery.updateService(plain("billing", "a", 2));
    stage.say("%s", events.next());
    discovery.unregisterService(plain("billing", "b", 1));
    stage.say("%s", events.next());
    discovery.close();
    stage.say("%s", events.next());
  }

  /** What is registered comes back with the next session, and so does what somebody deletes. */
  private static void lost(Stage stage) throws Exception {
    var unlucky = stage.client();
    var other = stage.client();
    var discovery =
        stage.open(
            ServiceDiscoveryBuilder.builder(Map.class)
                .client(unlucky)
                .basePath(stage.root)
                .serializer(new JsonInstanceSerializer<>(Map.class))
                .watchInstances(true)
                .build());
    discovery.start();
    discovery.registerService(plain("billing", "a", 1));
    var path = stage.root + "/billing/a";
    var before = Stage.stat(other, path).getEphemeralOwner();
    stage.endSession(unlucky);
    Stage.until("it is registered again", () -> Stage.stat(other, path) != null);
    stage.say("of another session: %s", before != Stage.stat(other, path).getEphemeralOwner());
    stage.say("found: %s", show(start(stage, other).queryForInstances("billing")));
  }

  private static ServiceDiscovery<Map> start(Stage stage, CuratorFramework client) throws Exception {
    var discovery =
        stage.open(
            ServiceDiscoveryBuilder.builder(Map.class)
                .client(client)
                .basePath(stage.root)
                .serializer(new JsonInstanceSerializer<>(Map.class))
                .build());
    discovery.start();
    return discovery;
  }

  private static ServiceInstance<Map> plain(String name, String id, int port) throws Exception {
    return ServiceInstance.<Map>builder().name(name).id(id).address("host.example").port(port).build();
  }

  private static List<String> show(Collection<ServiceInstance<Map>> instances) {
    return instances.stream()
        .map((each) -> each.getId() + "@" + each.getAddress() + ":" + each.getPort() + " " + each.getPayload())
        .sorted()
        .collect(Collectors.toList());
  }
}
