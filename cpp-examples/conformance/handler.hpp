/// What the conformance runner asks, done with nothing but the public library.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "springald/conformance/v1/client.pb.h"
#include "springald/springald.hpp"

/// The sessions of one cluster, by the runner's names, and a method for each call.
class Handler {
 public:
  /// Answers one call, whatever happens.
  springald::conformance::v1::Answer answer(const springald::conformance::v1::Call& call);

 private:
  using Answer = springald::conformance::v1::Answer;

  Answer dispatch(const springald::conformance::v1::Call& call);
  Answer connect(const springald::conformance::v1::Connect& call);
  Answer open(const springald::conformance::v1::OpenCall& call);
  Answer close(const springald::conformance::v1::CloseCall& call);
  Answer execute(const springald::conformance::v1::ExecuteCall& call);
  Answer describe(const springald::conformance::v1::DescribeCall& call);
  Answer upload(const springald::conformance::v1::UploadCall& call);
  Answer register_files(const springald::conformance::v1::RegisterFilesCall& call);
  Answer list_tables(const springald::conformance::v1::ListTablesCall& call);
  Answer start(const springald::conformance::v1::StartCall& call);
  Answer fetch(const springald::conformance::v1::FetchCall& call);

  /// A job that has succeeded, and what was taken of its rows.
  struct Held {
    springald::Job job;
    std::optional<springald::Batches> batches;
    std::shared_ptr<arrow::RecordBatch> first;
  };

  std::string url_;
  std::optional<springald::TlsOptions> tls_;
  std::map<std::string, springald::Connection> sessions_;
  std::map<std::string, Held> held_;
};
