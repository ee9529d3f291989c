package dev.springald;

import springald.plan.v1.PlanOuterClass;
import springald.plan.v1.PlanOuterClass.PlanVersion;
import springald.plan.v1.PlanOuterClass.RelationTree;

/**
 * Writes a tree of relations and expressions as the flat lists of a plan, children first. What
 * stands in several places is written once for each of them, as the protocol wants it.
 */
final class PlanWriter {
  private final RelationTree.Builder tree = RelationTree.newBuilder();

  private PlanWriter() {}

  static PlanOuterClass.Plan plan(Relation root) {
    PlanWriter writer = new PlanWriter();
    writer.tree.setRootId(writer.write(root));
    PlanVersion version =
        PlanVersion.newBuilder()
            .setMajor(Limits.PLAN_MAJOR)
            .setMinor(Limits.PLAN_MINOR_FOR_TREES)
            .setProducer(Query.PRODUCER)
            .build();
    return PlanOuterClass.Plan.newBuilder().setVersion(version).setRelations(writer.tree).build();
  }

  /** Writes a relation and all below it, and returns its id. */
  int write(Relation relation) {
    PlanOuterClass.Relation.Builder message = PlanOuterClass.Relation.newBuilder();
    relation.inputs().forEach(input -> message.getCommonBuilder().addInputIds(write(input)));
    relation.kind().write(this, message);
    checkSize();
    message.getCommonBuilder().setNodeId(tree.getRelationsCount() + 1);
    return tree.addRelations(message).getRelationsCount();
  }

  /** Writes an expression and all below it, and returns its id. */
  int write(Expr expression) {
    PlanOuterClass.Expression.Builder message = PlanOuterClass.Expression.newBuilder();
    expression
        .operands()
        .forEach(operand -> message.getCommonBuilder().addOperandIds(write(operand)));
    expression.kind().write(this, message);
    checkSize();
    message.getCommonBuilder().setNodeId(tree.getExpressionsCount() + 1);
    return tree.addExpressions(message).getExpressionsCount();
  }

  private void checkSize() {
    if (tree.getRelationsCount() + tree.getExpressionsCount() >= Limits.PLAN_NODES_MAX) {
      throw ErrorCode.PLAN_TOO_LARGE.error(
          "a plan has at most "
              + Limits.PLAN_NODES_MAX
              + " relations and expressions: got more; put long lists into a table");
    }
  }

  /** What is special about a node: fills its message, and writes what else hangs from it. */
  interface Kind<M> {
    void write(PlanWriter writer, M message);
  }
}
