package dev.springald;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The schedulers of a cluster: which one to ask, and which one when that does not answer. */
final class Endpoints implements AutoCloseable {
  private final Channels channels;
  private final boolean areSeveral;
  private final SchedulerFinder finder;

  // Guarded by this.
  private final List<Address> addresses;
  private final Map<Address, Endpoint> made = new HashMap<>();
  private Endpoint current;

  /**
   * Begins with the first of some addresses.
   *
   * @param finder tells where the schedulers are later on; null if that does not change
   */
  Endpoints(List<Address> addresses, SchedulerFinder finder, Channels channels) {
    this.channels = channels;
    this.finder = finder;
    this.areSeveral = addresses.size() > 1 || finder != null;
    this.addresses = new ArrayList<>(addresses);
    this.current = madeFor(addresses.get(0));
  }

  /** Whether there is another one to turn to from the start. */
  boolean areSeveral() {
    return areSeveral;
  }

  /** The scheduler to ask now. It stays usable when another one becomes current. */
  synchronized Endpoint current() {
    return current;
  }

  /**
   * Turns to another scheduler, unless somebody did so meanwhile, if an error says that this one
   * cannot be reached or does not lead.
   *
   * @return false if the error says something else
   */
  boolean leave(Endpoint endpoint, SpringaldException error) {
    String leader = error.details().leaderAddress();
    if (!(error instanceof ClusterException.NotLeader)
        && !(error instanceof ClusterException.SchedulerUnavailable)) {
      return false;
    }
    boolean isAsked = finder != null && leader.isEmpty() && endpoint == current();
    turn(endpoint, leader, isAsked ? finder.find() : List.of());
    return true;
  }

  private synchronized void turn(Endpoint endpoint, String leader, List<Address> found) {
    if (endpoint != current) {
      return;
    }
    Address next =
        leader.isEmpty()
            ? after(endpoint.address(), found.isEmpty() ? addresses : found)
            : Address.ofServer(leader);
    current = madeFor(next);
  }

  @Override
  public synchronized void close() {
    made.values().forEach(endpoint -> endpoint.channel().shutdownNow());
    made.values().forEach(endpoint -> Transport.awaitEnd(endpoint.channel()));
  }

  private Endpoint madeFor(Address address) {
    if (!addresses.contains(address)) {
      addresses.add(address);
    }
    return made.computeIfAbsent(
        address, wanted -> new Endpoint(wanted, channels.toScheduler(wanted, areSeveral)));
  }

  private static Address after(Address address, List<Address> among) {
    return among.get((among.indexOf(address) + 1) % among.size());
  }
}
