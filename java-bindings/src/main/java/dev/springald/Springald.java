package dev.springald;

/**
 * The way in: opens sessions on a cluster.
 *
 * <pre>{@code
 * try (Session session = Springald.connect("springald://127.0.0.1:50050");
 *     Result result = session.sql("SELECT 1 AS one").fetch()) {
 *   for (Row row : result.rows()) {
 *     System.out.println(row.getLong("one"));
 *   }
 * }
 * }</pre>
 */
public final class Springald {
  private Springald() {}

  /**
   * Opens a session with the usual options.
   *
   * @param url {@code springald://host:port} of a scheduler, or of several with commas in between;
   *     without a port it is 50050; or the etcd in which they keep their state, {@code
   *     springald+etcd://host:port,host:port/prefix}, where the one that leads is found
   * @throws ClusterException.SchedulerUnavailable if nothing answers there within a few seconds
   * @throws CallerException.InvalidArgument if the URL is not one of a scheduler
   */
  public static Session connect(String url) {
    return connect(url, ConnectOptions.defaults());
  }

  /**
   * Opens a session.
   *
   * @param url {@code springald://host:port} of a scheduler, or of several with commas in between;
   *     without a port it is 50050; or the etcd in which they keep their state, {@code
   *     springald+etcd://host:port,host:port/prefix}, where the one that leads is found
   * @param options settings, TLS, deadlines
   * @throws ClusterException.SchedulerUnavailable if nothing answers there in time
   * @throws CallerException.InvalidArgument if the URL is not one of a scheduler
   * @throws CallerException if a setting is unknown, protected, or does not take its value
   */
  public static Session connect(String url, ConnectOptions options) {
    Transport transport = transport(Checks.text(url, "a cluster's url"), options);
    try {
      return new Session(transport, options);
    } catch (RuntimeException failed) {
      transport.close();
      throw failed;
    }
  }

  private static Transport transport(String url, ConnectOptions options) {
    if (!url.startsWith(EtcdAddress.SCHEME)) {
      return new Transport(Address.allOfUrl(url), null, options);
    }
    LeaderFinder finder = new LeaderFinder(EtcdAddress.ofUrl(url));
    return new Transport(finder.await(Limits.ELECTION_MAX), finder, options);
  }

  /** The version of these bindings. */
  public static String version() {
    String version = Springald.class.getPackage().getImplementationVersion();
    return version == null ? "0" : version;
  }
}
