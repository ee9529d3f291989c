package dev.springald;

import java.util.List;

/** Tells where the schedulers of a cluster are now, the one that leads first. */
interface SchedulerFinder {
  /** Where they are; nothing if that is not to be found out. Throws nothing. */
  List<Address> find();
}
