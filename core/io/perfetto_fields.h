// SPDX-License-Identifier: Apache-2.0
#pragma once

// Field numbers of the messages of a Perfetto trace that are read, as its reference documentation lists them.
namespace flashstep::field {
enum Interned { categories = 1, eventNames = 2, annotationNames = 3, sourceLocations = 4, annotationStrings = 29 };
enum InternedName { iid = 1, text = 2 };
enum SourceLocation { fileName = 2, functionName = 3, lineNumber = 4 };
enum Defaults { eventDefaults = 11, clockId = 58 };
enum TrackEvent {
    timestampDeltaUs = 1,
    categoryIids = 3,
    annotations = 4,
    legacyEvent = 6,
    type = 9,
    nameIid = 10,
    trackUuid = 11,
    timestampAbsoluteUs = 16,
    categoryNames = 22,
    eventName = 23,
    counterValue = 30,
    sourceIid = 34,
    flowIdsOld = 36,
    terminatingFlowIdsOld = 42,
    doubleCounterValue = 44,
    flowIds = 47,
    terminatingFlowIds = 48
};
enum Annotation {
    annotationNameIid = 1,
    boolValue = 2,
    uintValue = 3,
    intValue = 4,
    doubleValue = 5,
    stringValue = 6,
    pointerValue = 7,
    nestedValue = 8,
    legacyJson = 9,
    annotationName = 10,
    dictEntries = 11,
    arrayValues = 12,
    stringIid = 17
};
enum Descriptor {
    uuid = 1,
    trackName = 2,
    processOf = 3,
    threadOf = 4,
    parentUuid = 5,
    counter = 8,
    staticName = 10,
    siblingOrderRank = 12
};
enum Process { pid = 1, processName = 6 };
enum Thread { threadPid = 1, threadTid = 2, threadName = 5, referenceUs = 6 };
enum Counter { counterType = 1, unit = 3, unitMultiplier = 4, incremental = 5, unitName = 6 };
enum Legacy { legacyNameIid = 1, phase = 2, durationUs = 3, pidOverride = 18, tidOverride = 19 };

} // namespace flashstep::field
